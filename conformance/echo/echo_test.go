package main

import (
	"net"
	"strings"
	"testing"

	suite "sigs.k8s.io/gateway-api/conformance/utils/echo"
)

// asked starts a server, calls it, and gives the answers as the suite reads them.
func asked(t *testing.T, scheme string, on func(net.Listener) error, options ...string) []suite.Response {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go on(listener)
	call, err := parse(append([]string{scheme + "://" + listener.Addr().String() + "/path?a=b"}, options...))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := call.make(&out); err != nil {
		t.Fatal(err)
	}
	var answers []suite.Response
	for answer := range strings.SplitSeq(strings.TrimSpace(out.String()), "\n\n") {
		answers = append(answers, suite.ParseResponse(answer))
	}
	return answers
}

func TestTheSuiteReadsWhatAnHttpServerWasAsked(t *testing.T) {
	answers := asked(t, "http", httpServer("echo-v1-a-b", 8080, false),
		"--method=PUT", "-H", "Host:shop", "-H", "x-one:1", "-H", "x-one:2", "--count=3")
	if len(answers) != 3 {
		t.Fatalf("3 calls, %d answers", len(answers))
	}
	for _, answer := range answers {
		if answer.Code != "200" || answer.Hostname != "echo-v1-a-b" || answer.Host != "shop" || answer.Method != "PUT" {
			t.Errorf("read %+v", answer)
		}
		if got := strings.Join(answer.RequestHeaders["X-One"], ","); got != "1,2" {
			t.Errorf("X-One is %q", got)
		}
		if answer.URL != "/path?a=b" {
			t.Errorf("URL is %q", answer.URL)
		}
	}
}

func TestTheSuiteReadsWhatAGrpcServerWasAsked(t *testing.T) {
	answers := asked(t, "grpc", grpcServer("echo-v2-a-b"), "-H", "x-one:1", "--count=2")
	if len(answers) != 2 {
		t.Fatalf("2 calls, %d answers", len(answers))
	}
	for _, answer := range answers {
		if answer.Code != "200" || answer.Hostname != "echo-v2-a-b" || answer.RequestHeaders.Get("X-One") != "1" {
			t.Errorf("read %+v", answer)
		}
	}
}

func TestAUrlThatNobodyCanCallIsRefused(t *testing.T) {
	for _, args := range [][]string{{}, {"ftp://echo"}, {"http://echo", "-H", "nothing"}, {"http://%zz"}} {
		if call, err := parse(args); err == nil {
			t.Errorf("%v is taken as %+v", args, call)
		}
	}
}
