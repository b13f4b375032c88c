// Command echo is the program in the pods of the suite's mesh tests: as `server` it answers with what it was asked, as `client` it
// asks and prints the answers in the form that the suite reads.
package main

import (
	"fmt"
	"os"
	"path"
)

func main() {
	run := serve
	if path.Base(os.Args[0]) == "client" {
		run = ask
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", path.Base(os.Args[0]), err)
		os.Exit(1)
	}
}
