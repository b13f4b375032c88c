package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// lines are `Name=value` each, the form in which the suite reads what client and server say.
type lines struct {
	strings.Builder
}

func (l *lines) add(name, value string) {
	fmt.Fprintf(l, "%s=%s\n", name, value)
}

func (l *lines) addHeaders(name string, headers http.Header) {
	for _, key := range slices.Sorted(maps.Keys(headers)) {
		for _, value := range headers[key] {
			l.add(name, key+":"+value)
		}
	}
}
