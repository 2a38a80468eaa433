// SPDX-License-Identifier: MIT
//! work DIR STEPS: threads, channels, a mutex with a condition variable, a child process and a Unix socket pair.
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::{mpsc, Arc, Condvar, Mutex};
use std::{env, fs, thread, time::Duration};

fn mix(n: u64) -> u64 {
    (0..1000).fold(n, |h, i| (h ^ i).wrapping_mul(0x100000001b3).rotate_left(7))
}

fn run(dir: &str, steps: u64) -> Result<(), Box<dyn std::error::Error>> {
    let (mut near, far) = UnixStream::pair()?;
    thread::spawn(move || {
        let mut out = far.try_clone().unwrap();
        for line in BufReader::new(far).lines().map_while(Result::ok) {
            writeln!(out, "{}", mix(line.parse().unwrap())).unwrap();
        }
    });
    let mut answers = BufReader::new(near.try_clone()?);
    let mut cat = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut to_cat = cat.stdin.take().unwrap();
    let mut from_cat = BufReader::new(cat.stdout.take().unwrap());
    let gate = Arc::new((Mutex::new(0u64), Condvar::new()));
    let (send, receive) = mpsc::channel();
    for worker in 0..4u64 {
        let (gate, send) = (gate.clone(), send.clone());
        thread::spawn(move || {
            let mut seen = 0;
            loop {
                let mut now = gate.0.lock().unwrap();
                while *now == seen {
                    now = gate.1.wait(now).unwrap();
                }
                seen = *now;
                drop(now);
                if send.send((seen * 4 + worker, mix(seen * 4 + worker))).is_err() {
                    return;
                }
            }
        });
    }
    for step in 1..=steps {
        *gate.0.lock().unwrap() = step;
        gate.1.notify_all();
        for _ in 0..4 {
            let (n, h) = receive.recv_timeout(Duration::from_secs(30))?;
            if h != mix(n) {
                return Err(format!("wrong hash of {n}").into());
            }
        }
        let mut line = String::new();
        writeln!(near, "{step}")?;
        answers.read_line(&mut line)?;
        writeln!(to_cat, "{}", line.trim())?;
        let mut back = String::new();
        from_cat.read_line(&mut back)?;
        if back.trim() != mix(step).to_string() {
            return Err(format!("step {step}: {back:?}").into());
        }
        writeln!(OpenOptions::new().create(true).append(true).open(format!("{dir}/progress"))?, "{step}")?;
        thread::sleep(Duration::from_millis(20));
    }
    drop(to_cat);
    cat.wait()?;
    Ok(())
}

fn main() {
    let a: Vec<String> = env::args().collect();
    let result = run(&a[1], a[2].parse().unwrap()).map_or_else(|e| format!("{e}\n"), |_| "PASS\n".into());
    fs::write(format!("{}/result", a[1]), result).unwrap();
}
