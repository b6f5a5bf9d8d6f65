/* The bound: what the kernel allows. Two threads, each with a listening socket of its own on the same port
 * (SO_REUSEPORT), blocking accept, recv, send, close; prints nothing. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int listening(struct sockaddr_in *address)
{
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t length = sizeof *address;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)address, sizeof *address) || listen(fd, 4096)) {
        perror("listen");
        exit(2);
    }
    getsockname(fd, (struct sockaddr *)address, &length);
    return fd;
}

static void *serve(void *listener)
{
    char message[1024];
    for (;;) {
        int client = accept(*(int *)listener, NULL, NULL);
        if (client < 0)
            continue;
        if (recv(client, message, sizeof message, 0) > 0)
            send(client, "Hello from server", 17, MSG_NOSIGNAL);
        close(client);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(argc > 1 ? atoi(argv[1]) : 0)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listeners[2] = {listening(&address), listening(&address)};
    pthread_t other;
    pthread_create(&other, NULL, serve, &listeners[1]);
    fprintf(stderr, "listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    serve(&listeners[0]);
}
