/* The handout's server in C: a thread for each connection, which prints. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void *handle_client(void *argument)
{
    int client = (int)(intptr_t)argument;
    char message[1025];
    ssize_t length = recv(client, message, sizeof message - 1, 0);
    if (length > 0) {
        message[length] = 0;
        printf("Received: %s\n", message);
        send(client, "Hello from server", 17, MSG_NOSIGNAL);
    }
    close(client);
    return NULL;
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(argc > 1 ? atoi(argv[1]) : 0)};
    socklen_t length = sizeof address;
    int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) {
        perror("listen");
        return 2;
    }
    getsockname(listener, (struct sockaddr *)&address, &length);
    fprintf(stderr, "listening on 127.0.0.1:%d\n", ntohs(address.sin_port));

    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 64 * 1024);
    pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
    for (;;) {
        struct sockaddr_in peer;
        socklen_t size = sizeof peer;
        int client = accept(listener, (struct sockaddr *)&peer, &size);
        if (client < 0)
            continue;
        char host[INET_ADDRSTRLEN];
        inet_ntop(AF_INET, &peer.sin_addr, host, sizeof host);
        printf("Connection from %s:%d\n", host, ntohs(peer.sin_port));
        pthread_t thread;
        if (pthread_create(&thread, &small, handle_client, (void *)(intptr_t)client))
            close(client);
    }
}
