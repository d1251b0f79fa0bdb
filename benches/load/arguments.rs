//! A bench's command line: `--name value` for sizes, `--quick` for sizes that CI can afford.

use std::collections::BTreeMap;
use std::str::FromStr;

pub struct Arguments {
    given: BTreeMap<String, String>,
    pub is_quick: bool,
}

impl Arguments {
    /// Reads the command line; whatever is not in `known` is refused with a sentence.
    pub fn read(known: &[&str]) -> Self {
        let mut arguments = Self { given: BTreeMap::new(), is_quick: false };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                // Cargo's own.
                "--bench" | "--test" => {}
                "--quick" => arguments.is_quick = true,
                name if name.strip_prefix("--").is_some_and(|name| known.contains(&name)) => {
                    let value = words.next().unwrap_or_else(|| refuse(&format!("{name} needs a value")));
                    arguments.given.insert(name[2..].to_owned(), value);
                }
                other => refuse(&format!("{other} is not one of: --quick --{}", known.join(" --"))),
            }
        }
        arguments
    }

    /// The size given, or else the usual one, or with `--quick` the small one.
    pub fn size<T: FromStr + Copy>(&self, name: &str, usual: T, quick: T) -> T {
        match self.given.get(name) {
            Some(value) => value.parse().unwrap_or_else(|_| refuse(&format!("--{name} {value} is not a number"))),
            None if self.is_quick => quick,
            None => usual,
        }
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.given.get(name).map(String::as_str)
    }
}

fn refuse(why: &str) -> ! {
    eprintln!("{why}");
    std::process::exit(2);
}
