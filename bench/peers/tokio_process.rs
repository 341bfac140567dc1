//! tokio::process on the multi-threaded runtime: a task per command, three pipes, wait_with_output().
use std::process::Stdio;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::Arc;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

struct Job {
    scenario: String,
    in_flight: usize,
    count: usize,
    bytes: usize,
    child: Vec<String>,
    left: AtomicI64,
}

fn report(rate: f64, mut us: Vec<f64>, share: f64) {
    us.sort_by(|a, b| a.total_cmp(b));
    let at = |part: f64| us.get((us.len() as f64 * part) as usize).copied().unwrap_or(0.0);
    println!("{{\"rate\": {rate}, \"p50_us\": {}, \"p99_us\": {}, \"share\": {share}}}", at(0.5), at(0.99));
}

fn micros(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1e6
}

fn start(job: &Job) -> Child {
    let mut command = Command::new(&job.child[0]);
    command.args(&job.child[1..]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("spawn")
}

async fn spawn(job: Arc<Job>) {
    let began = Instant::now();
    let workers: Vec<_> = (0..job.in_flight)
        .map(|_| {
            let job = job.clone();
            tokio::spawn(async move {
                let mut us = Vec::new();
                while job.left.fetch_sub(1, Relaxed) > 0 {
                    let start_time = Instant::now();
                    let mut child = start(&job);
                    drop(child.stdin.take());
                    child.wait_with_output().await.expect("wait");
                    us.push(micros(start_time));
                }
                us
            })
        })
        .collect();
    let mut all = Vec::new();
    for worker in workers {
        all.extend(worker.await.unwrap());
    }
    report(job.count as f64 / began.elapsed().as_secs_f64(), all, 1.0);
}

async fn round_trips(job: Arc<Job>) {
    let children: Vec<Child> = (0..job.in_flight).map(|_| start(&job)).collect();
    let block = Arc::new(vec![0u8; job.bytes]);
    let began = Instant::now();
    let workers: Vec<_> = children
        .into_iter()
        .map(|mut child| {
            let (job, block) = (job.clone(), block.clone());
            tokio::spawn(async move {
                let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
                let (mut answer, mut us) = (vec![0u8; job.bytes], Vec::new());
                while job.left.fetch_sub(1, Relaxed) > 0 {
                    let start_time = Instant::now();
                    stdin.write_all(&block).await.expect("write");
                    stdout.read_exact(&mut answer).await.expect("read");
                    us.push(micros(start_time));
                }
                (child, stdin, us)
            })
        })
        .collect();
    let mut ended = Vec::new();
    for worker in workers {
        ended.push(worker.await.unwrap());
    }
    let rate = job.count as f64 / began.elapsed().as_secs_f64();
    let (mut all, mut most, mut least) = (Vec::new(), 0, usize::MAX);
    for (mut child, stdin, us) in ended {
        drop(stdin);
        child.wait().await.expect("wait");
        most = most.max(us.len());
        least = least.min(us.len());
        all.extend(us);
    }
    report(rate, all, most as f64 / least.max(1) as f64);
}

async fn stream(job: Arc<Job>) {
    let began = Instant::now();
    let mut child = start(&job);
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let to_write = if job.scenario == "read" { 0 } else { job.bytes };
    let feeder = tokio::spawn(async move {
        let block = vec![0u8; 65536];
        let mut left = to_write;
        while left > 0 {
            let count = left.min(block.len());
            stdin.write_all(&block[..count]).await.expect("write");
            left -= count;
        }
    });
    let mut block = vec![0u8; 65536];
    while stdout.read(&mut block).await.expect("read") > 0 {}
    feeder.await.unwrap();
    child.wait().await.expect("wait");
    report(job.bytes as f64 / began.elapsed().as_secs_f64(), Vec::new(), 1.0);
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |at: usize| arguments[at].parse::<usize>().expect("a number");
    let job = Arc::new(Job {
        scenario: arguments[1].clone(),
        in_flight: number(2),
        count: number(3),
        bytes: number(4),
        child: arguments[5..].to_vec(),
        left: AtomicI64::new(number(3) as i64),
    });
    match job.scenario.as_str() {
        "spawn" => spawn(job).await,
        "round" => round_trips(job).await,
        "read" | "write" | "both" => stream(job).await,
        _ => std::process::exit(3),
    }
}
