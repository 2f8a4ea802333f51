// libpcap: live capture, capture files, the filter language.
#pragma once
#include <pcap/pcap.h>
