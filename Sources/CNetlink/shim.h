// libmnl, and the kernel's headers for the messages that it carries.
#pragma once
// Before the kernel's headers, which then leave the address types to libc: Swift sees both modules and refuses two
// definitions of one type.
#include <netinet/in.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
