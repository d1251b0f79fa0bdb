//! Signing in by a real OpenID provider, run on this machine: oidc-provider, by its lock file in `tests/clients/openid`. The whole way by a
//! client that follows redirects, keeps cookies and fills in the provider's own forms.

mod support;

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};
use support::browser::Page;
use support::foreign::{front, npm};
use support::{Agent, Browser, Options, PATIENCE, Server};

/// The provider's process; dropped, it is ended.
struct Provider {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    issuer: String,
}

impl Provider {
    fn start() -> Self {
        static ONCE: OnceLock<std::path::PathBuf> = OnceLock::new();
        let place = ONCE.get_or_init(|| {
            let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/openid");
            let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("openid");
            npm(&from, &["package.json", "package-lock.json", "provider.mjs"], &place);
            place
        });
        let mut command = Command::new("node");
        command.arg("provider.mjs").current_dir(place).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().expect("node runs");
        let input = child.stdin.take().expect("piped");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let (tell, lines) = channel();
        std::thread::spawn(move || {
            let ours =
                output.lines().map_while(Result::ok).filter_map(|line| Some(line.strip_prefix("offhook ")?.to_owned()));
            for line in ours {
                if tell.send(line).is_err() {
                    return;
                }
            }
        });
        let mut provider = Self { child, input, lines, issuer: String::new() };
        provider.issuer = provider.hear("issuer");
        provider
    }

    /// The rest of the next line that begins with this word.
    fn hear(&self, word: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("the provider never said {word}"));
            assert!(!line.starts_with("failed"), "{line}");
            if let Some(rest) = line.strip_prefix(word) {
                return rest.trim().to_owned();
            }
        }
    }

    fn tell(&mut self, line: &Value) {
        writeln!(self.input, "{line}").expect("the provider listens");
        self.hear("done");
    }

    /// Somebody is known from now on, and as this.
    fn knows(&mut self, person: &str, groups: &[&str]) {
        let claims = json!({"name": format!("{person} of Acme"), "email": format!("{person}@acme.example"), "email_verified": true,
            "preferred_username": person, "groups": groups});
        self.tell(&json!({"person": person, "claims": claims}));
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Scene {
    provider: Provider,
    server: Server,
    /// Where browsers find the server, also after a restart.
    base: String,
    behind: std::sync::Arc<std::sync::Mutex<std::net::SocketAddr>>,
    _secret: tempfile::TempDir,
}

impl Scene {
    async fn new() -> Self {
        let mut provider = tokio::task::spawn_blocking(Provider::start).await.expect("a provider");
        let secret = tempfile::tempdir().expect("a directory");
        let file = secret.path().join("secret");
        std::fs::write(&file, "a secret with spaces & signs: /%\n").expect("it can be written");
        let setting = format!(
            "signin.providers=[{{workspace=\"demo\", issuer=\"{}\", client_id=\"offhook\", client_secret_file=\"{}\", \
             scopes=[\"openid\", \"profile\", \"email\", \"groups\"], agent_claim=\"email\", role_claim=\"groups\", agents=[\"desk\"], \
             supervisors=[\"leads\"], administrators=[\"root\"], create_agents=true}}]",
            provider.issuer,
            file.display()
        );
        let options = Options::default().set(&setting);
        let server = tokio::task::spawn_blocking(move || Server::start(&options)).await.expect("a server");
        server.workspace("demo").await;
        let (address, behind) = front(server.address).await;
        let base = format!("http://{address}");
        provider.tell(&json!({ "desk": base }));
        Self { provider, server, base, behind, _secret: secret }
    }

    /// Through the provider's own pages, as whom its forms are filled in.
    async fn sign_in(&self, browser: &mut Browser, person: &str) -> Page {
        let ours = |url: &str| url.contains("/console/demo");
        let mut page = browser.go_until(&format!("{}/signin/demo", self.base), ours).await;
        for _ in 0..4 {
            if ours(&page.url) || !page.url.starts_with(&self.provider.issuer) {
                return page;
            }
            page = match page.hidden("prompt").as_deref() {
                Some("login") => {
                    let members = [("prompt", "login"), ("login", person), ("password", "any")];
                    browser.submit_until(&page, &members, ours).await
                }
                Some("consent") => browser.submit_until(&page, &[("prompt", "consent")], ours).await,
                other => panic!("the provider asks for {other:?}: {} {}", page.url, page.text()),
            };
        }
        panic!("the provider asks again and again: {} {}", page.url, page.text())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_by_a_real_provider_with_their_roles_and_out_of_both() {
    let mut scene = Scene::new().await;
    for (person, groups) in
        [("ann", &["desk"][..]), ("lea", &["desk", "leads"]), ("ada", &["root"]), ("eve", &["sales"])]
    {
        scene.provider.knows(person, groups);
    }
    for (person, role) in [("ann", "agent"), ("lea", "supervisor"), ("ada", "admin")] {
        let mut browser = Browser::new();
        let page = scene.sign_in(&mut browser, person).await;
        assert_eq!(page.url, format!("{}/console/demo", scene.base), "{}", page.text());
        let session = browser.session(&scene.base, "demo").await;
        assert_eq!(session["agent"], format!("{person}@acme.example"));
        assert_eq!((&session["role"], &session["title"]), (&json!(role), &json!(format!("{person} of Acme"))));
        let token = session["token"].as_str().expect("a token");
        let agent = Agent::try_connect(scene.server.address, person, token, None).await.expect("a welcome");
        assert_eq!(agent.welcome["agent"]["role"], role);
    }
    // Who has none of the groups does not come in.
    let mut browser = Browser::new();
    let page = scene.sign_in(&mut browser, "eve").await;
    assert!(page.status() == 403 && page.text().contains("signin_refused: no_role"), "{}", page.text());

    // Another role at the next sign-in: what is connected comes again with it.
    let mut browser = Browser::new();
    scene.sign_in(&mut browser, "lea").await;
    let session = browser.session(&scene.base, "demo").await;
    let token = session["token"].as_str().expect("a token");
    let mut socket = Agent::try_connect(scene.server.address, "lea", token, None).await.expect("a welcome");
    scene.provider.knows("lea", &["desk"]);
    // The provider knows this browser: nobody is asked anything.
    let page = scene.sign_in(&mut browser, "nobody").await;
    assert_eq!(page.url, format!("{}/console/demo", scene.base), "{}", page.text());
    assert_eq!(socket.closed().await, (4001, "token_role_changed".to_owned()));
    assert_eq!(browser.session(&scene.base, "demo").await["role"], "agent");

    // A restart in between changes nothing.
    scene.server.kill();
    tokio::task::block_in_place(|| scene.server.start_again());
    *scene.behind.lock().expect("never poisoned") = scene.server.address;
    let session = browser.session(&scene.base, "demo").await;
    assert_eq!(session["agent"], "lea@acme.example");
    let token = session["token"].as_str().expect("a token");
    let mut socket = Agent::try_connect(scene.server.address, "lea", token, None).await.expect("a welcome");

    // Out of both: the provider asks, and sends back.
    let (_, out) = browser.fetch("POST", &format!("{}/signin/demo/out", scene.base)).await;
    assert_eq!(socket.closed().await, (4000, "signed_out".to_owned()));
    assert_eq!(browser.no_session(&scene.base, "demo").await, (401, "missing".to_owned()));
    let page = browser.go(out["to"].as_str().expect("where to go")).await;
    let xsrf = page.hidden("xsrf").expect("the provider asks whether it is meant");
    let page = browser.submit(&page, &[("xsrf", &xsrf), ("logout", "yes")]).await;
    assert_eq!(page.url, format!("{}/signin/demo/out", scene.base), "{}", page.text());
    assert!(page.text().contains("<h1>Signed out</h1>"));
    let ours = |url: &str| url.contains("/console/demo");
    let page = browser.go_until(&format!("{}/signin/demo", scene.base), ours).await;
    assert_eq!(page.hidden("prompt").as_deref(), Some("login"), "the provider asks who it is");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_good_once_and_who_signs_out_at_the_provider_is_out_here() {
    let mut scene = Scene::new().await;
    scene.provider.knows("ann", &["desk"]);
    let mut browser = Browser::new();
    scene.sign_in(&mut browser, "ann").await;
    // The same code again, by the same browser with all that it had: the provider says no.
    let begun = browser.go_until(&format!("{}/signin/demo", scene.base), |url| url.contains("/callback")).await;
    let flow: Vec<_> =
        browser.cookies.iter().filter(|(name, _)| name.contains("flow")).map(|(n, v)| (n.clone(), v.clone())).collect();
    let page = browser.go_until(&begun.url, |url| url.contains("/console/")).await;
    assert!(page.url.ends_with("/console/demo"), "{}", page.text());
    let mut thief = Browser::new();
    thief.cookies.extend(flow);
    let page = thief.go(&begun.url).await;
    assert!(page.status() == 403 && page.text().contains("signin_refused: code_refused"), "{}", page.text());
    assert_eq!(thief.no_session(&scene.base, "demo").await, (401, "missing".to_owned()));

    // A provider revokes what a code gave that was used twice; signing in again is signing in.
    let mut browser = Browser::new();
    scene.sign_in(&mut browser, "ann").await;
    let session = browser.session(&scene.base, "demo").await;
    let token = session["token"].as_str().expect("a token");
    let mut socket = Agent::try_connect(scene.server.address, "ann", token, None).await.expect("a welcome");
    let page = browser.go(&format!("{}/session/end", scene.provider.issuer)).await;
    let xsrf = page.hidden("xsrf").expect("the provider asks whether it is meant");
    browser.submit(&page, &[("xsrf", &xsrf), ("logout", "yes")]).await;
    assert_eq!(socket.closed().await, (4000, "signed_out".to_owned()));
    assert_eq!(browser.no_session(&scene.base, "demo").await, (401, "revoked".to_owned()));
}
