package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	pb "sigs.k8s.io/gateway-api/conformance/echo-basic/grpcechoserver"
)

const (
	timeout = 5 * time.Second
	maxBody = 1 << 20
)

// call is what the command line asks for.
type call struct {
	url     *url.URL
	method  string
	headers http.Header
	count   int
}

// ask makes the calls one after the other, on one connection if the other side keeps it, and prints an empty line after each answer.
func ask(args []string) error {
	call, err := parse(args)
	if err != nil {
		return err
	}
	return call.make(os.Stdout)
}

func parse(args []string) (*call, error) {
	if len(args) == 0 {
		return nil, fmt.Errorf("no URL; write: client URL [--method=GET] [-H name:value]... [--count=1]")
	}
	url, err := url.Parse(args[0])
	if err != nil {
		return nil, err
	}
	if url.Scheme != "http" && url.Scheme != "grpc" {
		return nil, fmt.Errorf("%s: the scheme must be http or grpc", args[0])
	}
	call := &call{url: url, headers: http.Header{}}
	flags := flag.NewFlagSet("client", flag.ContinueOnError)
	flags.StringVar(&call.method, "method", http.MethodGet, "of HTTP requests")
	flags.IntVar(&call.count, "count", 1, "how many calls")
	flags.Func("H", "a header, name:value", func(header string) error {
		name, value, found := strings.Cut(header, ":")
		if !found {
			return fmt.Errorf("no colon in %q", header)
		}
		call.headers.Add(name, value)
		return nil
	})
	return call, flags.Parse(args[1:])
}

func (c *call) make(out io.Writer) error {
	one := c.http
	if c.url.Scheme == "grpc" {
		connection, err := grpc.NewClient("passthrough:///"+c.url.Host,
			grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return err
		}
		defer connection.Close()
		one = func() (string, error) { return c.grpc(pb.NewGrpcEchoClient(connection)) }
	}
	for range c.count {
		answer, err := one()
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(out, answer); err != nil {
			return err
		}
	}
	return nil
}

// A redirection is an answer as any other.
var client = &http.Client{
	Timeout:       timeout,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func (c *call) http() (string, error) {
	request, err := http.NewRequest(c.method, c.url.String(), nil)
	if err != nil {
		return "", err
	}
	request.Header = c.headers.Clone()
	if host := c.headers.Get("Host"); host != "" {
		request.Host = host
	}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return "", err
	}
	answer := lines{}
	answer.add("StatusCode", strconv.Itoa(response.StatusCode))
	answer.addHeaders("ResponseHeader", response.Header)
	answer.Write(body)
	return answer.String(), nil
}

func (c *call) grpc(service pb.GrpcEchoClient) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	for name, values := range c.headers {
		for _, value := range values {
			ctx = metadata.AppendToOutgoingContext(ctx, name, value)
		}
	}
	response, err := service.Echo(ctx, &pb.EchoRequest{})
	if err != nil {
		return "", err
	}
	answer := lines{}
	answer.add("StatusCode", strconv.Itoa(http.StatusOK))
	told := response.GetAssertions()
	answer.add("Hostname", told.GetContext().GetPod())
	answer.add("Method", told.GetFullyQualifiedMethod())
	for _, header := range told.GetHeaders() {
		answer.add("RequestHeader", header.GetKey()+":"+header.GetValue())
	}
	return answer.String(), nil
}
