/* The plain pair with which the multicast programs are compared: a sender that only sends, a receiver that only counts.
 * With `offload` the kernel handles many datagrams in one piece (UDP_SEGMENT, UDP_GRO): the upper bound.
 *
 *   datagrams send GROUP PORT INTERFACE_ADDRESS SIZE SECONDS plain|offload
 *   datagrams receive GROUP PORT INTERFACE_ADDRESS plain|offload
 *
 * Both print one JSON object at the end; SIGTERM ends the receiver. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

static char buffer[65536];
static volatile sig_atomic_t over;

static void stop(int signal)
{
    (void)signal;
    over = 1;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static double processor(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void must(int good, const char *what)
{
    if (!good) {
        perror(what);
        exit(2);
    }
}

static void do_send(int fd, struct sockaddr_in *to, struct in_addr interface, int each, double seconds, int offload)
{
    int many = 1;
    long sent = 0, calls = 0;
    must(!setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &interface, sizeof interface), "IP_MULTICAST_IF");
    if (offload) {
        must(!setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &each, sizeof each), "UDP_SEGMENT");
        many = 65507 / each < 64 ? 65507 / each : 64;
    }
    memset(buffer, '.', sizeof buffer);
    double begun = now(), elapsed = 0;
    while (elapsed < seconds) {
        for (int call = 0; call < 64; call++, calls++)
            if (sendto(fd, buffer, (size_t)many * each, 0, (struct sockaddr *)to, sizeof *to) > 0)
                sent += many;
        elapsed = now() - begun;
    }
    printf("{\"sent\":%ld,\"calls\":%ld,\"seconds\":%.6f,\"cpu\":%.6f}\n", sent, calls, elapsed, processor());
}

static void do_receive(int fd, struct sockaddr_in *group, struct in_addr interface, int offload)
{
    int one = 1, room = 4 << 20;
    long received = 0;
    struct ip_mreq membership = {.imr_multiaddr = group->sin_addr, .imr_interface = interface};
    struct timeval brief = {.tv_usec = 100000};
    must(!setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one), "SO_REUSEADDR");
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &brief, sizeof brief);
    must(!bind(fd, (struct sockaddr *)group, sizeof *group), "bind");
    must(!setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership, sizeof membership), "join");
    if (offload)
        must(!setsockopt(fd, IPPROTO_UDP, UDP_GRO, &one, sizeof one), "UDP_GRO");
    fprintf(stderr, "listening on port %d\n", ntohs(group->sin_port));
    while (!over) {
        if (!offload) {
            received += recvfrom(fd, buffer, sizeof buffer, 0, NULL, NULL) >= 0;
            continue;
        }
        char control[CMSG_SPACE(sizeof(int))];
        struct iovec piece = {buffer, sizeof buffer};
        struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        ssize_t length = recvmsg(fd, &message, 0);
        if (length < 0)
            continue;
        int each = 0;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
            if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO)
                memcpy(&each, CMSG_DATA(c), sizeof each);
        received += each > 0 ? (length + each - 1) / each : 1;
    }
    printf("{\"received\":%ld,\"cpu\":%.6f}\n", received, processor());
}

int main(int argc, char **argv)
{
    int sending = argc == 8 && !strcmp(argv[1], "send"), receiving = argc == 6 && !strcmp(argv[1], "receive");
    struct sockaddr_in group = {.sin_family = AF_INET};
    struct in_addr interface;
    if ((!sending && !receiving) || !inet_aton(argv[2], &group.sin_addr) || !inet_aton(argv[4], &interface)) {
        fprintf(stderr, "usage: see datagrams.c\n");
        return 2;
    }
    group.sin_port = htons((uint16_t)atoi(argv[3]));
    int offload = !strcmp(argv[argc - 1], "offload"), fd = socket(AF_INET, SOCK_DGRAM, 0);
    must(fd >= 0, "socket");
    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGTERM, &action, NULL);
    if (sending)
        do_send(fd, &group, interface, atoi(argv[5]), atof(argv[6]), offload);
    else
        do_receive(fd, &group, interface, offload);
    return 0;
}
