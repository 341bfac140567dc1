// Go os/exec: a goroutine per command; stdin by StdinPipe, output by StdoutPipe and a buffer for stderr.
package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

type job struct {
	scenario                string
	inFlight, count, length int
	child                   []string
}

type latencies struct {
	mutex sync.Mutex
	us    []float64
}

func (all *latencies) add(began time.Time) {
	us := float64(time.Since(began)) / 1e3
	all.mutex.Lock()
	all.us = append(all.us, us)
	all.mutex.Unlock()
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	check(err)
	return value
}

func report(rate float64, us []float64, share float64) {
	p50, p99 := 0.0, 0.0
	if len(us) > 0 {
		sort.Float64s(us)
		p50, p99 = us[len(us)/2], us[len(us)*99/100]
	}
	check(json.NewEncoder(os.Stdout).Encode(map[string]float64{"rate": rate, "p50_us": p50, "p99_us": p99, "share": share}))
}

// together runs body(0) ... body(n-1), each in a goroutine of its own.
func together(n int, body func(i int)) {
	var group sync.WaitGroup
	group.Add(n)
	for i := 0; i < n; i++ {
		go func(i int) {
			defer group.Done()
			body(i)
		}(i)
	}
	group.Wait()
}

func spawn(it job) {
	var all latencies
	left := int64(it.count)
	began := time.Now()
	together(it.inFlight, func(int) {
		for atomic.AddInt64(&left, -1) >= 0 {
			start := time.Now()
			var out, errors bytes.Buffer
			command := exec.Command(it.child[0], it.child[1:]...)
			command.Stdout, command.Stderr = &out, &errors
			in, err := command.StdinPipe()
			check(err)
			check(command.Start())
			in.Close()
			check(command.Wait())
			all.add(start)
		}
	})
	report(float64(it.count)/time.Since(began).Seconds(), all.us, 1)
}

func startWithPipes(it job) (*exec.Cmd, io.WriteCloser, io.ReadCloser) {
	var errors bytes.Buffer
	command := exec.Command(it.child[0], it.child[1:]...)
	command.Stderr = &errors
	in, err := command.StdinPipe()
	check(err)
	out, err := command.StdoutPipe()
	check(err)
	check(command.Start())
	return command, in, out
}

func roundTrips(it job) {
	var all latencies
	commands := make([]*exec.Cmd, it.inFlight)
	ins := make([]io.WriteCloser, it.inFlight)
	outs := make([]io.ReadCloser, it.inFlight)
	rounds := make([]int, it.inFlight)
	for i := range commands {
		commands[i], ins[i], outs[i] = startWithPipes(it)
	}
	block, left := make([]byte, it.length), int64(it.count)
	began := time.Now()
	together(it.inFlight, func(i int) {
		answer := make([]byte, it.length)
		for atomic.AddInt64(&left, -1) >= 0 {
			start := time.Now()
			_, err := ins[i].Write(block)
			check(err)
			_, err = io.ReadFull(outs[i], answer)
			check(err)
			all.add(start)
			rounds[i]++
		}
	})
	rate := float64(it.count) / time.Since(began).Seconds()
	for i, command := range commands {
		ins[i].Close()
		check(command.Wait())
	}
	sort.Ints(rounds)
	if rounds[0] == 0 {
		rounds[0] = 1
	}
	report(rate, all.us, float64(rounds[len(rounds)-1])/float64(rounds[0]))
}

func stream(it job) {
	began := time.Now()
	command, in, out := startWithPipes(it)
	go func() {
		block := make([]byte, 65536)
		for left := it.length; it.scenario != "read" && left > 0; left -= len(block) {
			if left < len(block) {
				block = block[:left]
			}
			_, err := in.Write(block)
			check(err)
		}
		in.Close()
	}()
	block := make([]byte, 65536)
	for {
		if _, err := out.Read(block); err != nil {
			break
		}
	}
	check(command.Wait())
	report(float64(it.length)/time.Since(began).Seconds(), nil, 1)
}

func main() {
	it := job{os.Args[1], number(os.Args[2]), number(os.Args[3]), number(os.Args[4]), os.Args[5:]}
	switch it.scenario {
	case "spawn":
		spawn(it)
	case "round":
		roundTrips(it)
	case "read", "write", "both":
		stream(it)
	default:
		os.Exit(3)
	}
}
