# The words of this project. CI runs `ci`; the others are for people.

# Everything that is checked before a change goes in.
ci:
    bash tests/run

# A server on this machine, with its data in ./data.
run *ARGS:
    cargo run --release -- serve {{ARGS}}

# A server with simulated agents and customers, to look at.
demo *ARGS:
    cargo run --release -- demo {{ARGS}}

# The morning of a real incident, played against a server under a hard memory cap; its timeline beside today's.
drill *ARGS:
    cargo run --release -- drill 2023-08-25 {{ARGS}}

test *ARGS:
    cargo test --locked {{ARGS}}

lint:
    bash tests/run format lint

fmt:
    cargo fmt --all

bench *ARGS:
    cargo bench --locked --bench '*' -- {{ARGS}}

# Minutes, not seconds: kill -9 at random moments under load, so many times.
kill-rounds ROUNDS="200":
    OFFHOOK_KILL_ROUNDS={{ROUNDS}} cargo test --release --locked --test kill

# The black-box suite, or targets of it, with each server a cluster of one node over NATS. Ends with what passed, was passed over and failed.
cluster-suite *TARGETS:
    OFFHOOK_CLUSTER_TARGETS="{{TARGETS}}" bash tests/run tools cluster-suite

# Nodes and servers of a cluster are killed, stopped, paused and cut off under load, so many times; `each` for all kinds in turn.
cluster-rounds ROUNDS="100":
    OFFHOOK_CLUSTER_ROUNDS={{ROUNDS}} cargo test --locked --test cluster -- --nocapture --test-threads=1 whatever_becomes

# The server is killed every three seconds, so many times; an offer goes on, and new clients are answered.
supervisor-kills KILLS="20":
    OFFHOOK_SUPERVISOR_KILLS={{KILLS}} cargo test --locked --test supervisor killed -- --nocapture

# An upgrade to a binary that dies after so many milliseconds is rolled back.
upgrade-dies MS="10000":
    OFFHOOK_UPGRADE_DIES_AFTER_MS={{MS}} cargo test --locked --test supervisor no_good -- --nocapture

# Everybody answers one offer at once, so many times.
race-rounds ROUNDS="10000":
    OFFHOOK_RACE_ROUNDS={{ROUNDS}} cargo test --release --locked --test race -- --nocapture

# Random days from so many seeds in each mode, from the first one on; ends with what came about in them, and how many were lived.
seeds COUNT="10000" FIRST="1":
    OFFHOOK_SEEDS={{COUNT}} OFFHOOK_FIRST_SEED={{FIRST}} cargo test --release --locked --test simulation -- --nocapture nothing_false everybody_is_served

# The cluster's protocol, looked through within wider bounds; minutes, and a gigabyte of memory.
model:
    OFFHOOK_MODEL=large cargo test --release --locked --test cluster_model -- --nocapture --test-threads=1

# Inputs changed at random, for each thing that is read from outside, for so many seconds each.
fuzz SECONDS="60":
    OFFHOOK_FUZZ_SECONDS={{SECONDS}} cargo test --release --locked --test fuzz -- --nocapture --test-threads=1

# The simulation of staffing against Erlang's formulas, with so many customers in each replication of each point.
loads CUSTOMERS="100000":
    OFFHOOK_CUSTOMERS={{CUSTOMERS}} cargo test --release --locked --test staffing -- --nocapture

# The console with 5,000 messages of history, 100 conversations open and ten minutes in a hidden tab; prints its figures.
console-loads:
    OFFHOOK_CONSOLE_LOADS=1 cargo test --release --locked --test console_page -- --nocapture

# A console that is open for so long while conversations come and go; prints what it holds then.
console-hour SECONDS="3600":
    OFFHOOK_CONSOLE_SECONDS={{SECONDS}} cargo test --release --locked --test console_page all_day -- --nocapture

# An hour of agents and customers who come and go, and the slope of the server's memory meanwhile.
soak SECONDS="3600" *ARGS:
    cargo bench --locked --bench soak -- --seconds {{SECONDS}} {{ARGS}}

# The static binary, packed, and the Debian package around it, in ./dist. Of arm64: just dist aarch64-unknown-linux-musl arm64.
dist TARGET="x86_64-unknown-linux-musl" ARCHITECTURE="amd64":
    bash config/release/static {{TARGET}} dist
    bash config/release/smoke dist/{{TARGET}}/offhook
    bash config/deploy/debian/build dist/{{TARGET}}/offhook {{ARCHITECTURE}} dist

# What the code says of its calls, sockets and streams, into docs: after any of them changed.
documents:
    cargo run --locked -- openapi >docs/openapi.json
    cargo run --locked -- asyncapi >docs/asyncapi.json

# Calls that are made up from the API's document, so many of each.
calls EXAMPLES="500":
    OFFHOOK_CALLS={{EXAMPLES}} cargo test --locked --test spec made_up -- --nocapture

# The list of what is built in, after a dependency came, went or changed.
components:
    python3 config/release/components.py list >config/release/third-party.txt

image:
    docker build -t offhook .

# The data directory that this release leaves behind, for later ones to be held to. Once for each release.
golden-data:
    cargo test --locked --test golden_data -- --ignored
