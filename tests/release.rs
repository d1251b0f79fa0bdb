//! What a release is made of: the facts in the binary, the list of what is built in, the Debian package, and the workflow that makes them all.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn done(command: &mut Command) -> Output {
    let output = command.current_dir(root()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn said(command: &mut Command) -> String {
    String::from_utf8(done(command).stdout).unwrap()
}

fn components(what: &[&str]) -> String {
    said(Command::new("python3").arg("config/release/components.py").args(what))
}

#[test]
fn a_binary_says_what_it_was_built_from() {
    let offhook = || Command::new(env!("CARGO_BIN_EXE_offhook"));
    let short = said(offhook().arg("-V"));
    assert_eq!(short, concat!("offhook ", env!("CARGO_PKG_VERSION"), "\n"));
    let long = said(offhook().arg("--version"));
    // A supervisor that is older than this binary reads the version in the first line.
    assert!(long.starts_with(&short) && long.lines().count() > 4, "{long}");
    assert_eq!(long, said(offhook().arg("version")));
    let facts: serde_json::Value = serde_json::from_str(&said(offhook().args(["version", "--json"]))).unwrap();
    for fact in ["version", "commit", "tree", "target", "profile", "rustc", "sqlite"] {
        assert!(facts[fact].as_str().is_some_and(|value| !value.is_empty()), "{fact}: {facts}");
    }
    for format in ["journal", "record", "view", "keys", "signins"] {
        assert!(facts["formats"][format].as_u64() >= Some(1), "{format}: {facts}");
    }
}

#[test]
fn the_list_of_what_is_built_in_is_that_of_the_lock_file_with_every_licence_and_its_text() {
    let kept = text("config/release/third-party.txt");
    let now = components(&["list"]);
    assert!(kept == now, "python3 config/release/components.py list >config/release/third-party.txt");
    let licences = components(&["licences"]);
    let bill: serde_json::Value = serde_json::from_str(&components(&["sbom"])).unwrap();
    assert_eq!(bill["bomFormat"], "CycloneDX");
    let listed = bill["components"].as_array().unwrap();
    let required = listed.iter().filter(|component| component["scope"] == "required");
    let required: BTreeSet<String> = required
        .map(|component| format!("{} {}", component["name"].as_str().unwrap(), component["version"].as_str().unwrap()))
        .collect();
    for name in kept.lines().filter_map(|line| line.split_once(": ")).map(|(name, _)| name) {
        let of_the_toolchain = name.starts_with("musl") || name.starts_with("the Rust");
        assert!(of_the_toolchain || required.contains(name), "{name} is not in the bill");
        // Once in the list, and once over a text.
        assert!(licences.matches(name).count() >= 2, "{name} comes without a text");
    }
    let mut crates = listed.iter().filter(|component| component["purl"].as_str().unwrap().starts_with("pkg:cargo/"));
    assert!(crates.all(|component| component["hashes"][0]["content"].as_str().is_some_and(|hash| hash.len() == 64)));
}

#[test]
fn the_release_workflow_names_every_action_by_commit_and_keeps_no_secret() {
    let workflow = text(".github/workflows/release.yml");
    let mut actions = 0;
    for line in workflow.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let line = line.trim_start_matches("- ");
        if let Some(action) = line.strip_prefix("uses: ") {
            let (_, at) = action.split_once('@').unwrap_or_else(|| panic!("{action}: of which commit?"));
            let (commit, version) = at.split_once(" # v").unwrap_or_else(|| panic!("{action}: which version is that?"));
            assert!(commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()), "{action}");
            assert!(version.starts_with(|c: char| c.is_ascii_digit()), "{action}");
            actions += 1;
        }
        // What the run's own names hold comes by the environment: a name is no piece of a script.
        let script = line.starts_with("run: ") || ["docker ", "gh ", "bash "].iter().any(|word| line.starts_with(word));
        assert!(!script || !line.contains("${{"), "{line}");
    }
    assert!(actions > 4, "{actions}");
    assert!(
        !workflow.contains("secrets.") && !workflow.contains("pull_request"),
        "only a tag starts it, with no secret"
    );
    assert!(workflow.contains("\npermissions: {}\n"), "each job says what it may");
    assert_eq!(
        workflow.matches("- uses: actions/checkout@").count(),
        workflow.matches("persist-credentials: false").count()
    );
    for script in ["config/release/static", "config/release/tag", "config/release/smoke", "config/deploy/debian/build"]
    {
        assert!(workflow.contains(script), "{script}");
        done(Command::new("bash").args(["-n", script]));
    }
}

#[test]
fn a_tag_that_is_not_the_trees_version_releases_nothing() {
    let refused = Command::new("bash").args(["config/release/tag", "v999.0.0"]).current_dir(root()).output().unwrap();
    let why = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && why.contains(env!("CARGO_PKG_VERSION")), "{why}");
}

#[test]
fn the_debian_package_has_what_a_machine_needs_and_starts_nothing() {
    for script in ["postinst", "prerm", "postrm"] {
        done(Command::new("sh").args(["-n", &format!("config/deploy/debian/{script}")]));
    }
    let installs = text("config/deploy/debian/postinst");
    assert!(!installs.lines().any(|line| line.trim_start().starts_with("systemctl enable")), "{installs}");
    assert!(installs.contains("install -d -o offhook -g offhook -m 0700 /var/lib/offhook"), "{installs}");
    let unit = text("config/deploy/systemd/offhook.service");
    assert!(unit.contains("User=offhook\n") && unit.contains("StateDirectoryMode=0700\n"));
    // Those settings are comments: they must be settings all the same.
    let examples = text("config/deploy/debian/offhook.toml").replace("# [", "[").replace("# agent_keys", "agent_keys");
    let settings: toml::Table = examples.replace("# trusted_proxies", "trusted_proxies").parse().unwrap();
    let defaults: toml::Table = text("config/offhook.toml").parse().unwrap();
    for (section, keys) in &settings {
        for key in keys.as_table().unwrap().keys() {
            assert!(defaults[section].as_table().unwrap().contains_key(key), "{section}.{key}");
        }
    }
    if Command::new("dpkg-deb").arg("--version").output().is_err() {
        println!("no dpkg-deb here: the package is not made");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut made = BTreeSet::new();
    for _ in 0..2 {
        // Any file stands for the binary: what is looked at is what lies around it.
        let mut build = Command::new("bash");
        build.args(["config/deploy/debian/build", "LICENSE", "amd64"]).arg(dir.path()).env("SOURCE_DATE_EPOCH", "1");
        let path = said(&mut build);
        made.insert(std::fs::read(path.trim()).unwrap());
    }
    assert_eq!(made.len(), 1, "the same tree gives the same package");
    let package = dir.path().join(format!("offhook_{}_amd64.deb", env!("CARGO_PKG_VERSION")));
    let files = said(Command::new("dpkg-deb").arg("--contents").arg(&package));
    for (mode, path) in [
        ("-rwxr-xr-x root/root", "./usr/bin/offhook"),
        ("-rw-r--r-- root/root", "./etc/offhook/offhook.toml"),
        ("-rw-r--r-- root/root", "./usr/lib/systemd/system/offhook.service"),
        ("-rw-r--r-- root/root", "./usr/lib/systemd/system/offhook.socket"),
        ("-rw-r--r-- root/root", "./usr/lib/systemd/system/offhook-operators.socket"),
        ("-rw-r--r-- root/root", "./usr/lib/sysusers.d/offhook.conf"),
        ("-rw-r--r-- root/root", "./usr/share/doc/offhook/copyright"),
        ("-rw-r--r-- root/root", "./usr/share/doc/offhook/third-party-licences.txt"),
    ] {
        let line = files.lines().find(|line| line.ends_with(path));
        assert!(line.is_some_and(|line| line.starts_with(mode)), "{path}: {files}");
    }
    let control = said(Command::new("dpkg-deb").arg("--field").arg(&package));
    for line in ["Package: offhook", concat!("Version: ", env!("CARGO_PKG_VERSION")), "Architecture: amd64"] {
        assert!(control.lines().any(|found| found == line), "{line}: {control}");
    }
    assert!(!control.contains("@VERSION") && !control.contains("SIZE@"), "{control}");
    let conffiles = said(Command::new("dpkg-deb").arg("--info").arg(&package).arg("conffiles"));
    assert_eq!(conffiles, "/etc/offhook/offhook.toml\n");
}
