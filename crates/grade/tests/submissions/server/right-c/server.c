/* A thread for each client. */
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void *serve(void *argument) {
    int client = (int)(intptr_t)argument;
    char message[1025];
    ssize_t length = recv(client, message, sizeof message - 1, 0);
    if (length > 0) {
        message[length] = 0;
        printf("Received: %s\n", message);
        send(client, "Hello from server", strlen("Hello from server"), MSG_NOSIGNAL);
    }
    close(client);
    return NULL;
}

int main(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(12345)};
    int one = 1, server = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(server, (struct sockaddr *)&address, sizeof address) || listen(server, 128)) {
        perror("server");
        return 1;
    }
    for (;;) {
        struct sockaddr_in peer;
        socklen_t length = sizeof peer;
        int client = accept(server, (struct sockaddr *)&peer, &length);
        pthread_t thread;
        if (client < 0)
            continue;
        printf("Connection from 127.0.0.1:%d\n", ntohs(peer.sin_port));
        if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)client))
            close(client);
        else
            pthread_detach(thread);
    }
}
