// SPDX-License-Identifier: MIT

// A CRIU RPC client in Go with nothing but the standard library.
//
//	go run raw_client.go SOCKET PID DIR            dump the process tree PID into DIR and let it run on
//	go run raw_client.go SOCKET --restore DIR      bring back what DIR holds
package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"strconv"
)

func number(field, value uint64) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(nil, field<<3), value)
}

func message(field uint64, body []byte) []byte {
	return append(binary.AppendUvarint(binary.AppendUvarint(nil, field<<3|2), uint64(len(body))), body...)
}

// The numbers and the byte strings of a message, by field.
func decode(data []byte) (numbers map[uint64]uint64, strings map[uint64][]byte) {
	numbers, strings = map[uint64]uint64{}, map[uint64][]byte{}
	for len(data) > 0 {
		key, n := binary.Uvarint(data)
		value, m := binary.Uvarint(data[n:])
		data = data[n+m:]
		if key&7 == 2 {
			strings[key>>3], data = data[:value], data[value:]
		} else {
			numbers[key>>3] = value
		}
	}
	return
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func main() {
	if len(os.Args) != 4 {
		fail(fmt.Errorf("usage: raw_client SOCKET PID|--restore DIR"))
	}
	directory, err := os.Open(os.Args[3])
	if err != nil {
		fail(err)
	}
	// criu_opts: images_dir_fd = 1, pid = 2, leave_running = 3, log_level = 9
	options := append(number(1, uint64(directory.Fd())), number(9, 4)...)
	kind := uint64(2) // RESTORE
	if os.Args[2] != "--restore" {
		pid, err := strconv.ParseUint(os.Args[2], 10, 31)
		if err != nil {
			fail(err)
		}
		kind = 1 // DUMP
		options = append(append(options, number(2, pid)...), number(3, 1)...)
	}
	service, err := net.Dial("unixpacket", os.Args[1])
	if err != nil {
		fail(err)
	}
	if _, err = service.Write(append(number(1, kind), message(2, options)...)); err != nil {
		fail(err)
	}
	answer := make([]byte, 65536)
	n, err := service.Read(answer)
	if err != nil {
		fail(err)
	}
	// criu_resp: type = 1, success = 2, restore = 4 {pid = 1}, cr_errno = 7, cr_errmsg = 9
	numbers, strings := decode(answer[:n])
	if numbers[2] == 0 {
		fail(fmt.Errorf("errno %d: %s", numbers[7], strings[9]))
	}
	if restored, ok := strings[4]; ok {
		pids, _ := decode(restored)
		fmt.Println("restored pid", pids[1])
	} else {
		fmt.Println("dumped")
	}
}
