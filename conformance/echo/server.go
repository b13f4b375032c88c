package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	pb "sigs.k8s.io/gateway-api/conformance/echo-basic/grpcechoserver"
)

const defaultPort = 8080

// serve listens on every port that the flags name, else on the default for HTTP, until one of the listeners fails.
func serve(args []string) error {
	flags := flag.NewFlagSet("server", flag.ContinueOnError)
	var ports, overTls, grpcPorts, tcpPorts []int
	flags.Func("port", "a port for HTTP/1.1", into(&ports))
	flags.Func("tls", "which of the HTTP ports speaks TLS", into(&overTls))
	flags.Func("grpc", "a port for gRPC", into(&grpcPorts))
	flags.Func("tcp", "a port for bytes", into(&tcpPorts))
	flags.String("crt", "", "has no effect: the server signs a certificate for itself")
	flags.String("key", "", "has no effect")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if len(ports)+len(grpcPorts)+len(tcpPorts) == 0 {
		ports = []int{defaultPort}
	}
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	ended := make(chan error)
	start := func(port int, on func(net.Listener) error) error {
		listener, err := net.Listen("tcp", fmt.Sprintf(":%d", port))
		if err == nil {
			go func() { ended <- on(listener) }()
		}
		return err
	}
	for _, port := range ports {
		err = errors.Join(err, start(port, httpServer(host, port, slices.Contains(overTls, port))))
	}
	for _, port := range grpcPorts {
		err = errors.Join(err, start(port, grpcServer(host)))
	}
	for _, port := range tcpPorts {
		err = errors.Join(err, start(port, func(on net.Listener) error { return serveBytes(on, host) }))
	}
	if err != nil {
		return err
	}
	return <-ended
}

func into(ports *[]int) func(string) error {
	return func(value string) error {
		port, err := strconv.ParseUint(value, 10, 16)
		*ports = append(*ports, int(port))
		return err
	}
}

func httpServer(host string, port int, overTls bool) func(net.Listener) error {
	server := &http.Server{Handler: httpEcho(host, port), ReadHeaderTimeout: 10 * time.Second}
	return func(on net.Listener) error {
		if !overTls {
			return server.Serve(on)
		}
		certificate, err := ownCertificate(host)
		if err != nil {
			return err
		}
		return server.Serve(tls.NewListener(on, &tls.Config{Certificates: []tls.Certificate{certificate}}))
	}
}

func httpEcho(host string, port int) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, request *http.Request) {
		lines := lines{}
		lines.add("Hostname", host)
		lines.add("ServicePort", strconv.Itoa(port))
		lines.add("Method", request.Method)
		lines.add("Proto", request.Proto)
		lines.add("URL", request.URL.RequestURI())
		lines.add("Host", request.Host)
		lines.addHeaders("RequestHeader", request.Header)
		io.WriteString(out, lines.String())
	})
}

// grpcEcho answers calls with the messages of the suite's own echo service.
type grpcEcho struct {
	pb.UnimplementedGrpcEchoServer
	host string
}

func grpcServer(host string) func(net.Listener) error {
	server := grpc.NewServer()
	pb.RegisterGrpcEchoServer(server, grpcEcho{host: host})
	return server.Serve
}

func (e grpcEcho) Echo(ctx context.Context, request *pb.EchoRequest) (*pb.EchoResponse, error) {
	method, _ := grpc.Method(ctx)
	told := &pb.Assertions{FullyQualifiedMethod: method, Context: &pb.Context{Pod: e.host}}
	received, _ := metadata.FromIncomingContext(ctx)
	for key, values := range received {
		for _, value := range values {
			told.Headers = append(told.Headers, &pb.Header{Key: key, Value: value})
		}
	}
	return &pb.EchoResponse{Assertions: told, Request: request}, nil
}

// serveBytes names the host to each connection and then sends back what comes.
func serveBytes(on net.Listener, host string) error {
	for {
		connection, err := on.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer connection.Close()
			fmt.Fprintf(connection, "Hostname=%s\n", host)
			io.Copy(connection, connection)
		}()
	}
}

func ownCertificate(host string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		DNSNames:     []string{host},
		NotAfter:     time.Now().AddDate(1, 0, 0),
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	return tls.Certificate{Certificate: [][]byte{signed}, PrivateKey: key}, err
}
