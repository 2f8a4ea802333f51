#define _GNU_SOURCE
#include "stream_socket.h"

#include <errno.h>
#include <signal.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

int cl_tcp_socket(int is_ipv6) {
    return socket(is_ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

int cl_udp_socket(int is_ipv6) { return socket(is_ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0); }

void cl_allow_address_reuse(int fd) {
    int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
}

void cl_disable_nagle(int fd) {
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

void cl_acknowledge_at_once(int fd, int at_once) {
    setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &at_once, sizeof at_once);
}

int cl_accept_client(int listener, void *address) {
    socklen_t length = 28;
    memset(address, 0, length);
    return accept4(listener, address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

ssize_t cl_send_three(int fd, const void *a, size_t a_count, const void *b, size_t b_count, const void *c,
                      size_t c_count) {
    struct iovec pieces[3] = {
        {.iov_base = (void *)a, .iov_len = a_count},
        {.iov_base = (void *)b, .iov_len = b_count},
        {.iov_base = (void *)c, .iov_len = c_count},
    };
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 3};
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}

void cl_reset_when_closed(int fd) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

int cl_unacknowledged(int fd) {
    int count = 0;
    return ioctl(fd, SIOCOUTQ, &count) == 0 ? count : 0;
}

int cl_socket_error(int fd) {
    int code = 0;
    socklen_t length = sizeof code;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &length) == 0 ? code : errno;
}

int cl_start_thread(pthread_t *thread, void *(*body)(void *), void *context, const char *name) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(thread, NULL, body, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code == 0) pthread_setname_np(*thread, name);
    return code;
}
