// The handout's server in Go: a goroutine for each connection, which prints.
package main

import (
	"fmt"
	"net"
	"os"
)

func handleClient(client net.Conn) {
	defer client.Close()
	message := make([]byte, 1024)
	length, err := client.Read(message)
	if err != nil {
		return
	}
	fmt.Printf("Received: %s\n", message[:length])
	client.Write([]byte("Hello from server"))
}

func main() {
	port := "0"
	if len(os.Args) > 1 {
		port = os.Args[1]
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	fmt.Fprintln(os.Stderr, "listening on", listener.Addr())
	for {
		client, err := listener.Accept()
		if err != nil {
			continue
		}
		fmt.Printf("Connection from %s\n", client.RemoteAddr())
		go handleClient(client)
	}
}
