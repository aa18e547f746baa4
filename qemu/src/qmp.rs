//! QEMU's monitor: the few commands that stop a machine, and take its state out of it and into another.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};

/// How long QEMU may take for anything it is asked here.
const PATIENCE: Duration = Duration::from_secs(20);
const MOMENT: Duration = Duration::from_micros(500);

/// The monitor did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum MonitorError {
    /// The connection failed.
    #[error("QEMU's monitor: {0}")]
    Io(#[from] io::Error),
    /// QEMU refused.
    #[error("QEMU does not {command}: {why}")]
    Refused {
        /// The command.
        command: &'static str,
        /// What it said.
        why: String,
    },
}

/// A connection to the monitor.
#[derive(Debug)]
pub struct Monitor {
    lines: BufReader<UnixStream>,
    /// Where sockets for the state go.
    directory: PathBuf,
}

/// One line from QEMU.
#[derive(Deserialize)]
struct Line {
    #[serde(rename = "return")]
    returned: Option<Value>,
    error: Option<Complaint>,
}

#[derive(Deserialize)]
struct Complaint {
    desc: String,
}

fn socket(directory: &Path) -> PathBuf {
    directory.join("monitor")
}

/// The options with which QEMU has a monitor in this directory.
pub fn options(directory: &Path) -> [String; 4] {
    let path = socket(directory);
    let socket = format!("socket,id=monitor,path={},server=on,wait=off", path.display());
    ["-chardev".to_owned(), socket, "-mon".to_owned(), "chardev=monitor,mode=control".to_owned()]
}

impl Monitor {
    /// Connects to a QEMU that was started with these [`options`], and is up or will be in a moment.
    pub fn connect(directory: &Path) -> Result<Monitor, MonitorError> {
        let start = Instant::now();
        let stream = loop {
            match UnixStream::connect(socket(directory)) {
                Ok(stream) => break stream,
                Err(error) if start.elapsed() > PATIENCE => return Err(error.into()),
                Err(_) => std::thread::sleep(MOMENT),
            }
        };
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut monitor = Monitor { lines: BufReader::new(stream), directory: directory.to_owned() };
        // The greeting.
        monitor.lines.read_line(&mut String::new())?;
        monitor.execute("qmp_capabilities", json!({}))?;
        // Memory that is a file of ours is no part of the state.
        let capabilities = json!({"capabilities": [{"capability": "x-ignore-shared", "state": true}]});
        monitor.execute("migrate-set-capabilities", capabilities)?;
        Ok(monitor)
    }

    fn execute(&mut self, command: &'static str, arguments: Value) -> Result<Value, MonitorError> {
        let request = json!({"execute": command, "arguments": arguments});
        writeln!(self.lines.get_ref(), "{request}")?;
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line)? == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            match serde_json::from_str(&line).map_err(io::Error::from)? {
                Line { error: Some(Complaint { desc: why }), .. } => {
                    return Err(MonitorError::Refused { command, why });
                }
                Line { returned: Some(value), .. } => return Ok(value),
                // An event.
                _ => {}
            }
        }
    }

    /// Stops the processors.
    pub fn stop(&mut self) -> Result<(), MonitorError> {
        self.execute("stop", json!({})).map(|_| ())
    }

    /// Lets them go on.
    pub fn go_on(&mut self) -> Result<(), MonitorError> {
        self.execute("cont", json!({})).map(|_| ())
    }

    /// The state of the machine, which is stopped: everything but memory that is a file of ours.
    pub fn state(&mut self) -> Result<Vec<u8>, MonitorError> {
        let path = self.directory.join("state");
        let listener = UnixListener::bind(&path)?;
        listener.set_nonblocking(true)?;
        self.execute("migrate", json!({"uri": format!("unix:{}", path.display())}))?;
        let start = Instant::now();
        let mut stream = loop {
            match listener.accept() {
                Ok((stream, _)) => break stream,
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error.into()),
                Err(_) if start.elapsed() > PATIENCE => return Err(io::Error::from(io::ErrorKind::TimedOut).into()),
                Err(_) => std::thread::sleep(MOMENT),
            }
        };
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut state = Vec::new();
        stream.read_to_end(&mut state)?;
        std::fs::remove_file(&path)?;
        self.migrated("migrate")?;
        Ok(state)
    }

    /// Gives a machine that waits for one (`-incoming defer`) its state: it stands still, as it did when it was saved.
    pub fn set_state(&mut self, state: &[u8]) -> Result<(), MonitorError> {
        let path = self.directory.join("state");
        self.execute("migrate-incoming", json!({"uri": format!("unix:{}", path.display())}))?;
        let mut stream = UnixStream::connect(&path)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.write_all(state)?;
        drop(stream);
        self.migrated("migrate-incoming")
    }

    /// Waits for the end of a migration.
    fn migrated(&mut self, command: &'static str) -> Result<(), MonitorError> {
        let start = Instant::now();
        loop {
            let got = self.execute("query-migrate", json!({}))?;
            let why = match got["status"].as_str() {
                Some("completed") => return Ok(()),
                Some("failed" | "cancelled") => got["error-desc"].as_str().unwrap_or("it failed").to_owned(),
                status if start.elapsed() > PATIENCE => format!("after {PATIENCE:?} it is {status:?}"),
                _ => {
                    std::thread::sleep(MOMENT);
                    continue;
                }
            };
            return Err(MonitorError::Refused { command, why });
        }
    }
}
