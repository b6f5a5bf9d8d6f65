/* A load generator: one thread, epoll, CLIENTS connections at once, EXCHANGES in all; each exchange a connection of
 * its own. Prints one JSON object. Source addresses change every 20,000 connections, so that ports suffice. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct sockaddr_in server = {.sin_family = AF_INET};
static long started, finished, failed, exchanges;
static double *latency, *begun; /* microseconds, by exchange and by descriptor */
static int epoll;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static void start(void)
{
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        perror("socket");
        exit(2);
    }
    struct sockaddr_in source = {.sin_family = AF_INET};
    source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + started / 20000 % 200);
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    bind(fd, (struct sockaddr *)&source, sizeof source);
    begun[fd] = now();
    started++;
    if (connect(fd, (struct sockaddr *)&server, sizeof server) && errno != EINPROGRESS) {
        perror("connect");
        exit(2);
    }
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void finish(int fd, int answered)
{
    latency[finished++] = now() - begun[fd];
    failed += !answered;
    close(fd);
    if (started < exchanges)
        start();
}

static int ascending(const void *a, const void *b)
{
    double difference = *(const double *)a - *(const double *)b;
    return (difference > 0) - (difference < 0);
}

static double percentile(double percent)
{
    long index = (long)(percent / 100 * finished);
    return latency[index < finished ? index : finished - 1];
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: load PORT CLIENTS EXCHANGES\n");
        return 2;
    }
    int clients = atoi(argv[2]);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server.sin_port = htons(atoi(argv[1]));
    exchanges = atol(argv[3]);
    latency = calloc(exchanges, sizeof *latency);
    begun = calloc(files.rlim_cur, sizeof *begun);
    epoll = epoll_create1(0);

    double start_time = now();
    for (int client = 0; client < clients && client < exchanges; client++)
        start();
    while (finished < exchanges) {
        struct epoll_event events[256];
        int ready = epoll_wait(epoll, events, 256, 10000);
        if (ready <= 0) {
            fprintf(stderr, "load: nothing for 10 s, %ld of %ld exchanges done\n", finished, exchanges);
            return 1;
        }
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (events[i].events & EPOLLIN) {
                char answer[1024];
                finish(fd, recv(fd, answer, sizeof answer, 0) > 0);
            } else if (events[i].events & (EPOLLERR | EPOLLHUP)) {
                finish(fd, 0);
            } else if (events[i].events & EPOLLOUT) {
                send(fd, "Hello server", 12, MSG_NOSIGNAL);
            }
        }
    }
    double seconds = (now() - start_time) / 1e6;
    qsort(latency, finished, sizeof *latency, ascending);
    printf("{\"exchanges\": %ld, \"failed\": %ld, \"seconds\": %.6f, \"p50_us\": %.0f, \"p99_us\": %.0f, \"max_us\": %.0f}\n",
           finished, failed, seconds, percentile(50), percentile(99), percentile(100));
    return failed > 0;
}
