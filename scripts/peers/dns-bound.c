// The bound for a name server over UDP: every packet is answered with the same record, whatever it asks, by recvmmsg and
// sendmmsg on as many sockets of one port as there are threads. No server that looks at a question can be faster.
//
//   dns-bound PORT [THREADS]
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
enum { BATCH = 32, SIZE = 512 };
static struct sockaddr_in at;
static void *serve(void *unused) {
    (void)unused;
    int fd = socket(AF_INET, SOCK_DGRAM, 0), one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    int size = 4 << 20;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    if (bind(fd, (struct sockaddr *)&at, sizeof at)) {
        perror("dns-bound: bind");
        exit(1);
    }
    static __thread unsigned char data[BATCH][SIZE];
    static __thread struct sockaddr_in from[BATCH];
    struct mmsghdr in[BATCH];
    struct iovec io[BATCH];
    for (;;) {
        for (int i = 0; i < BATCH; i++) {
            io[i] = (struct iovec){data[i], SIZE - 64};
            in[i].msg_hdr = (struct msghdr){
                .msg_name = &from[i], .msg_namelen = sizeof from[i], .msg_iov = &io[i], .msg_iovlen = 1};
        }
        int n = recvmmsg(fd, in, BATCH, MSG_WAITFORONE, NULL);
        if (n <= 0) continue;
        for (int i = 0; i < n; i++) {
            // An answer, with authority; one record of type A for the name at byte 12; 60 s; 10.0.0.1.
            static const unsigned char record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 0, 1};
            data[i][2] |= 0x84;
            data[i][7] = 1;
            memcpy(data[i] + in[i].msg_len, record, sizeof record);
            io[i].iov_len = in[i].msg_len + sizeof record;
        }
        sendmmsg(fd, in, n, 0);
    }
    return 0;
}
int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "dns-bound: usage: dns-bound PORT [THREADS]\n");
        return 2;
    }
    int threads = argc > 2 ? atoi(argv[2]) : 2;
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(atoi(argv[1]));
    pthread_t t;
    for (int i = 1; i < threads; i++) pthread_create(&t, 0, serve, 0);
    serve(0);
}
