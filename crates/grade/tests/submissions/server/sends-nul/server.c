#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <stdlib.h>
#include <signal.h>
#include <arpa/inet.h>
int main(){int s=socket(AF_INET,SOCK_STREAM,0),y=1;setsockopt(s,SOL_SOCKET,SO_REUSEADDR,&y,4);signal(SIGCHLD,SIG_IGN);signal(SIGPIPE,SIG_IGN);
struct sockaddr_in a={AF_INET,htons(12345),{htonl(0x7f000001)}};if(bind(s,(void*)&a,sizeof a)||listen(s,128)){perror("bind");return 1;}
for(;;){struct sockaddr_in p;socklen_t l=sizeof p;int c=accept(s,(void*)&p,&l);if(c<0)continue;printf("Connection from %s\n",inet_ntoa(p.sin_addr));fflush(stdout);
if(fork()==0){char b[1024];int n=read(c,b,1023);if(n>0){b[n]=0;printf("Received: %s\n",b);fflush(stdout);write(c,"Hello from server",18);}_exit(0);}close(c);}}
