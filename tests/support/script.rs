//! One of the scripts in `tests/clients`, as a process that is killed when it is dropped and whose lines are read one by one.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

pub struct Script {
    process: Child,
    said: BufReader<ChildStdout>,
}

impl Script {
    pub fn start(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().expect("a script that can be started");
        let said = BufReader::new(process.stdout.take().expect("piped"));
        Self { process, said }
    }

    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("it speaks");
        line.trim().to_owned()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
