// SPDX-License-Identifier: MIT

// work DIR STEPS: goroutines, channels, timers, garbage, and a TCP connection to itself.
package main

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"time"
)

func digest(n int) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(strconv.Itoa(n)))) }

func run(dir string, steps int) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		c, err := listener.Accept()
		for in := bufio.NewScanner(c); err == nil && in.Scan(); {
			n, _ := strconv.Atoi(in.Text())
			_, err = fmt.Fprintln(c, digest(n))
		}
	}()
	c, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		return err
	}
	answers := bufio.NewReader(c)
	kept := map[int][]byte{}
	for step := 1; step <= steps; step++ {
		var group sync.WaitGroup
		results := make(chan [2]string, 16)
		for i := 0; i < 16; i++ {
			group.Add(1)
			go func(n int) {
				defer group.Done()
				garbage := make([]byte, 1<<18)
				garbage[n%len(garbage)] = 1
				results <- [2]string{strconv.Itoa(n), digest(n)}
			}(step*16 + i)
		}
		group.Wait()
		close(results)
		for r := range results {
			if n, _ := strconv.Atoi(r[0]); digest(n) != r[1] {
				return fmt.Errorf("wrong digest of %d", n)
			}
		}
		fmt.Fprintln(c, step)
		line, err := answers.ReadString('\n')
		if err != nil || line != digest(step)+"\n" {
			return fmt.Errorf("step %d: %q, %v", step, line, err)
		}
		kept[step] = []byte(digest(step))
		f, err := os.OpenFile(dir+"/progress", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
		if err != nil {
			return err
		}
		fmt.Fprintln(f, step)
		f.Close()
		<-time.After(20 * time.Millisecond)
	}
	for n, d := range kept {
		if digest(n) != string(d) {
			return fmt.Errorf("what was kept of step %d has changed", n)
		}
	}
	return nil
}

func main() {
	steps, _ := strconv.Atoi(os.Args[2])
	result := "PASS"
	if err := run(os.Args[1], steps); err != nil {
		result = err.Error()
	}
	os.WriteFile(os.Args[1]+"/result", []byte(result+"\n"), 0o666)
}
