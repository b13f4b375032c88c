// Command archive packs one static program as a container image: an archive as `docker save` writes it.
package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
)

func main() {
	name := flag.String("name", "", "names and tags of the image, with commas")
	program := flag.String("program", "", "the static program")
	to := flag.String("to", "", "the archive to write")
	at := flag.String("at", "", "where the program is in the image; more paths after a comma lead to it, the first is the entry point")
	flag.Parse()
	for _, value := range []*string{name, program, to, at} {
		if *value == "" {
			fmt.Fprintln(os.Stderr, "archive: --name, --program, --at and --to must all be given")
			os.Exit(2)
		}
	}
	if err := write(*to, strings.Split(*name, ","), *program, strings.Split(*at, ",")); err != nil {
		fmt.Fprintf(os.Stderr, "archive: cannot write %s: %v\n", *to, err)
		os.Exit(1)
	}
}

type manifest struct {
	Config   string
	RepoTags []string
	Layers   []string
}

func write(to string, names []string, program string, paths []string) error {
	code, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	layer, err := tarOf(entriesOf(code, paths))
	if err != nil {
		return err
	}
	config, err := json.Marshal(map[string]any{
		"architecture": "amd64",
		"os":           "linux",
		"config": map[string]any{
			"Entrypoint": []string{paths[0]},
			"Env":        []string{"PATH=" + path.Dir(paths[0])},
			"User":       "65532:65532",
		},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + sum(layer)}},
	})
	if err != nil {
		return err
	}
	list, err := json.Marshal([]manifest{{sum(config) + ".json", names, []string{"layer.tar"}}})
	if err != nil {
		return err
	}
	archive, err := tarOf([]entry{
		{name: sum(config) + ".json", content: config},
		{name: "layer.tar", content: layer},
		{name: "manifest.json", content: list},
	})
	if err != nil {
		return err
	}
	return os.WriteFile(to, archive, 0o644)
}

type entry struct {
	name    string
	content []byte
	link    string
}

// entriesOf is the program at the first path and a link to it at each other.
func entriesOf(code []byte, paths []string) []entry {
	entries := []entry{{name: inArchive(paths[0]), content: code}}
	for _, other := range paths[1:] {
		entries = append(entries, entry{name: inArchive(other), link: paths[0]})
	}
	return entries
}

func inArchive(path string) string {
	return strings.TrimPrefix(path, "/")
}

func tarOf(entries []entry) ([]byte, error) {
	var out bytes.Buffer
	writer := tar.NewWriter(&out)
	for _, each := range entries {
		header := &tar.Header{Name: each.name, Mode: 0o755, Size: int64(len(each.content))}
		if each.link != "" {
			header.Typeflag, header.Linkname = tar.TypeSymlink, each.link
		}
		if err := writer.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := io.Copy(writer, bytes.NewReader(each.content)); err != nil {
			return nil, err
		}
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func sum(content []byte) string {
	digest := sha256.Sum256(content)
	return hex.EncodeToString(digest[:])
}
