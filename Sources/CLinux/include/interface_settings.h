// Requests about one interface that have no netlink form, or for which ioctl is the cheaper one. Swift sees neither
// struct ifreq's unions by name nor the variadic ioctl, and <linux/ethtool.h> has flexible array members.
#pragma once
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>

/// The index of an interface in the namespace of any socket, or -errno.
static inline int cl_interface_index(int socket, const char *name) {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    if (strlen(name) >= sizeof request.ifr_name) return -ENODEV;
    strcpy(request.ifr_name, name);
    return ioctl(socket, SIOCGIFINDEX, &request) == 0 ? request.ifr_ifindex : -errno;
}

/// 0 where an interface has that index in the namespace of a socket, else -errno (ENODEV: none has).
static inline int cl_interface_exists(int socket, int index) {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    request.ifr_ifindex = index;
    return ioctl(socket, SIOCGIFNAME, &request) == 0 ? 0 : -errno;
}

static inline int cl_ethtool_value(int socket, const char *name, struct ethtool_value *value) {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    if (strlen(name) >= sizeof request.ifr_name) return -ENODEV;
    strcpy(request.ifr_name, name);
    request.ifr_data = (char *)value;
    return ioctl(socket, SIOCETHTOOL, &request) == 0 ? 0 : -errno;
}

/// Gives an ETHTOOL_S… command its value; 0 or -errno.
static inline int cl_ethtool_set(int socket, const char *name, unsigned command, unsigned data) {
    struct ethtool_value value = {.cmd = command, .data = data};
    return cl_ethtool_value(socket, name, &value);
}

/// The answer to an ETHTOOL_G… command, or -errno.
static inline int cl_ethtool_get(int socket, const char *name, unsigned command) {
    struct ethtool_value value = {.cmd = command, .data = 0};
    int result = cl_ethtool_value(socket, name, &value);
    return result < 0 ? result : (int)(value.data != 0);
}
