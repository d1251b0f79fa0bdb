"""Counts a workspace's journal again, with nothing but Python's own library and in another way than the server: every fact and every
stretch of an agent's time is written into one list, and each number of a report is looked up in it. Compares with what the server said.

    recount.py JOURNAL ANSWERS

JOURNAL holds what `offhook journal show` prints, ANSWERS a list of `{"what", "by", "filters", "answer"}`, where the answer is the whole
JSON of the report. Ends with 0 when every number is the same.
"""

import json
import sys

IN_TIME_MS, REPLY_MS, SHORT_MS = 30_000, 60_000, 5_000
ENDS = ["accepted", "rejected", "expired", "undelivered", "withdrawn", "agent_lost", "rescinded"]
# What belongs to no agent, or rests on such, is not told by agent.
OF_QUEUES = {
    "opened", "reopened", "transferred_in", "moved_in", "entered", "abandoned", "abandoned_short", "abandoned_in_time", "abandon_ms",
    "abandon_ms_max", "abandon_ms_avg", "abandonment", "abandonment_without_short", "service_level", "service_level_without_short",
    "service_level_late_abandons", "service_level_abandons_met", "closed_waiting", "moved_out", "left", "left_closed",
    "messages_of_customers",
}


class Recount:
    def __init__(self):
        self.facts = []  # (at, agent, queue, channel, measure, value)
        self.spent = []  # (from, to, agent, connection, status, is available, held)
        self.lost = []  # (at, agent, measure, value)
        self.talks, self.people, self.statuses, self.queues = {}, {}, [], {}
        self.queue_names, self.agent_names, self.channel_names = {}, {}, []
        self.position, self.now, self.before = 0, 0, 0

    def fact(self, talk, measure, value=1, agent=None, at=None, queue=None):
        queue = talk["queue"] if queue is None else queue
        self.facts.append([at or self.now, agent, queue, talk["channel"], measure, value])

    # agents

    def person(self, agent):
        if agent not in self.people:
            away = next(place for place, status in enumerate(self.statuses) if not status["available"])
            self.people[agent] = {"connection": "offline", "status": away, "held": 0, "since": self.now}
        return self.people[agent]

    def until(self, agent, at=None):
        """Its time up to now, as it stands."""
        person, at = self.person(agent), self.now if at is None else at
        if person["connection"] != "offline" and at > person["since"]:
            available = self.statuses[person["status"]]["available"]
            stretch = (person["since"], at, agent, person["connection"], person["status"], available, person["held"])
            self.spent.append(stretch)
        person["since"] = at
        return person

    def connection(self, agent, connection):
        self.until(agent)["connection"] = connection

    def hold(self, agent, more):
        self.until(agent)["held"] += more

    def settings_changed(self, e):
        for agent in self.people:
            self.until(agent)
        self.statuses = e["settings"]["statuses"]
        self.channel_names = [channel["name"] for channel in e["settings"]["channels"]]

    def queue_put(self, e):
        service = e["settings"].get("service", {})
        self.queues[e["queue"]] = (service.get("accept_ms", IN_TIME_MS), service.get("first_reply_ms", REPLY_MS))
        self.queue_names[e["queue"]] = e["settings"]["name"]

    def queue_removed(self, e):
        del self.queue_names[e["queue"]], self.queues[e["queue"]]

    def agent_put(self, e):
        self.agent_names[e["agent"]] = e["profile"]["name"]
        self.until(e["agent"])

    def server_began(self, _):
        for agent, person in self.people.items():
            if person["connection"] != "offline":
                self.until(agent, self.before)
                person["connection"], person["since"] = "reconnecting", self.now
                self.lost.append((self.now, agent, "before_restart_ms", self.now - self.before))

    def node_gone(self, e):
        for agent in e["reconnecting"]:
            self.until(agent)["connection"] = "reconnecting"

    def session_came(self, e):
        person = self.until(e["agent"])
        if person["connection"] == "offline":
            self.lost.append((self.now, e["agent"], "sign_ins", 1))
        if person["connection"] != "unreachable":
            person["connection"] = "online"

    def agent_reconnecting(self, e):
        self.connection(e["agent"], "reconnecting")

    def agent_unreachable(self, e):
        self.connection(e["agent"], "unreachable")

    def agent_reachable(self, e):
        self.connection(e["agent"], "online")

    def agent_offline(self, e):
        self.connection(e["agent"], "offline")
        self.person(e["agent"])["status"] = e["status"]

    def status_changed(self, e):
        self.until(e["agent"])["status"] = e["status"]

    # conversations

    def conversation_opened(self, e):
        talk = {"queue": e["queue"], "channel": e["channel"], "began": self.now, "owner": None, "joined": None}
        talk |= {"replied": False, "last": None, "rating": None, "waits": None, "made": {}, "wraps": None}
        talk["left"] = e.get("left", False) or e.get("message", False)
        self.talks[e["conversation"]] = talk
        if talk["left"]:
            self.fact(talk, "left")
        else:
            talk["entry"] = self.enter(talk, "opened")

    def enter(self, talk, how, agent=None):
        talk["waits"] = self.now
        self.fact(talk, how, agent=agent)
        return self.facts[-1]

    def answered(self, talk, agent):
        if talk["left"]:
            talk["left"], talk["replied"] = False, True
            self.fact(talk, "left_answered", agent=agent)
        elif talk["waits"] is not None:
            took, talk["waits"] = self.now - talk["waits"], None
            self.fact(talk, "answered", agent=agent)
            self.fact(talk, "answer_ms", took, agent)
            self.fact(talk, "answered_in_time", took <= self.queues.get(talk["queue"], (IN_TIME_MS,))[0], agent)

    def owns(self, talk, agent):
        talk["owner"], talk["since"], talk["wraps"] = agent, self.now, None
        self.hold(agent, 1)

    def lets_go(self, talk):
        agent = talk["owner"]
        if agent is None:
            return
        over = self.now if talk["wraps"] is None else talk["wraps"]
        self.fact(talk, "handled", 1, agent)
        self.fact(talk, "talk_ms", over - talk["since"], agent)
        self.fact(talk, "wrap_up_ms", self.now - over, agent)
        self.fact(talk, "handle_ms", self.now - talk["since"], agent)
        talk["owner"], talk["last"] = None, agent
        self.hold(agent, -1)

    def leaves(self, talk, agent):
        if talk["joined"] == agent:
            talk["joined"] = None
            self.hold(agent, -1)

    def offer_made(self, e):
        talk = self.talks[e["conversation"]]
        talk["made"][e["offer"]] = self.now
        self.fact(talk, "offered", agent=e["agent"])

    def offer_ended(self, e):
        talk, agent, transfer = self.talks[e["conversation"]], e["agent"], e.get("transfer")
        made = talk["made"].pop(e["offer"])
        self.fact(talk, e["end"], agent=agent)
        if e["end"] != "accepted":
            return
        self.fact(talk, "reaction_ms", self.now - made, agent)
        if transfer is None:
            self.answered(talk, agent)
            self.owns(talk, agent)
        elif transfer["warm"]:
            self.fact(talk, "joined", agent=agent)
            talk["joined"] = agent
            self.hold(agent, 1)
        else:
            self.fact(talk, "transferred_out", agent=transfer["from"])
            self.lets_go(talk)
            self.fact(talk, "transfers_taken", agent=agent)
            self.owns(talk, agent)

    def message_posted(self, e):
        talk, author = self.talks[e["conversation"]], e["author"]
        if "customer" in author:
            self.fact(talk, "messages_of_customers")
        elif "agent" in author:
            agent = author["agent"]
            self.fact(talk, "messages_of_agents", agent=agent)
            if not talk["replied"]:
                took, talk["replied"] = self.now - talk["began"], True
                self.fact(talk, "first_replies", agent=agent)
                self.fact(talk, "first_reply_ms", took, agent)
                within = self.queues.get(talk["queue"], (0, REPLY_MS))[1]
                self.fact(talk, "first_replies_in_time", took <= within, agent)

    def conversation_ended(self, e):
        talk, by = self.talks[e["conversation"]], e["by"]
        by = by if isinstance(by, str) else next(iter(by))
        if talk["owner"] is not None:
            word = {"supervisor": "admin"}.get(by, by)
            self.fact(talk, f"closed_by_{word}", agent=talk["owner"])
            self.fact(talk, "resolution_ms", self.now - talk["began"], talk["owner"])
        elif talk["left"]:
            talk["left"] = False
            self.fact(talk, "left_closed")
        elif talk["waits"] is not None:
            took, talk["waits"] = self.now - talk["waits"], None
            if by == "customer":
                self.fact(talk, "abandoned")
                self.fact(talk, "abandon_ms", took)
                self.fact(talk, "abandoned_short", took <= SHORT_MS)
                self.fact(talk, "abandoned_in_time", took <= self.queues.get(talk["queue"], (IN_TIME_MS,))[0])
            else:
                self.fact(talk, "closed_waiting")
        if e.get("wrap_up_until") is not None and talk["owner"] is not None:
            talk["wraps"] = self.now
        else:
            self.lets_go(talk)

    def wrap_up_ended(self, e):
        self.lets_go(self.talks[e["conversation"]])

    def conversation_reopened(self, e):
        talk = self.talks[e["conversation"]]
        self.lets_go(talk)
        talk["queue"], talk["began"], talk["left"] = e["queue"], self.now, False
        if e.get("owner") is None:
            self.enter(talk, "reopened")
        else:
            self.fact(talk, "reopened_to_owner", agent=e["owner"])
            self.owns(talk, e["owner"])

    def conversation_requeued(self, e):
        talk = self.talks[e["conversation"]]
        self.lets_go(talk)
        self.enter(talk, "requeued", e["from"])

    def conversation_transferred(self, e):
        talk = self.talks[e["conversation"]]
        self.fact(talk, "transferred_out", agent=e["from"])
        self.lets_go(talk)
        talk["queue"] = e["queue"]
        self.enter(talk, "transferred_in")

    def conversation_taken(self, e):
        talk, to = self.talks[e["conversation"]], e["to"]
        if e.get("from") is not None:
            self.fact(talk, "taken_away", agent=e["from"])
            self.lets_go(talk)
            self.fact(talk, "taken", agent=to)
        elif e["how"] == "started":
            talk["entry"][5] = 0
            talk["waits"], talk["replied"] = None, True
            self.fact(talk, "started", agent=to)
        else:
            self.answered(talk, to)
            self.fact(talk, "taken", agent=to)
        self.owns(talk, to)

    def conversation_handed_over(self, e):
        talk = self.talks[e["conversation"]]
        self.fact(talk, "transferred_out", agent=e["from"])
        self.leaves(talk, e["to"])
        self.lets_go(talk)
        self.fact(talk, "transfers_taken", agent=e["to"])
        self.owns(talk, e["to"])

    def conversation_left(self, e):
        self.leaves(self.talks[e["conversation"]], e["agent"])

    def conversation_moved(self, e):
        talk = self.talks[e["conversation"]]
        waits = talk["waits"] is not None
        if waits:
            self.fact(talk, "moved_out")
        talk["queue"] = e["queue"]
        if waits:
            self.enter(talk, "moved_in")

    def conversation_rated(self, e):
        talk = self.talks[e["conversation"]]
        if talk["rating"] is not None:
            talk["rating"][5] = 0
        agent = talk["last"] if talk["owner"] is None else talk["owner"]
        self.fact(talk, f"rated_{e['score']}", agent=agent)
        talk["rating"] = self.facts[-1]

    def clock_ended(self, e):
        how = "voided" if e["end"] == "voided" else "late" if e.get("late") else "achieved"
        self.fact(self.talks[e["conversation"]], f"clock_{e['clock']}_{how}", queue=e["queue"])

    def turn(self, record):
        self.position, self.now = record["position"], record["wall_ms"]
        for event in record["events"]:
            (name, members), = event.items()
            if hasattr(self, name):
                getattr(self, name)(members)
        self.before = self.now


def quotient(of, among):
    return None if among <= 0 else (of + among // 2) // among


def share(of, among):
    whole = quotient(of * 10_000, among)
    return None if whole is None else whole / 10_000


def percentile(times, percent):
    """The upper end of the bin: sixteenths of a power of two, and at least 16 ms wide."""
    if not times:
        return None
    time = sorted(times)[-(-len(times) * percent // 100) - 1]
    width = max(16, 2 ** (time.bit_length() - 4))
    return (time // width + 1) * width - 1


def conversations(facts, by_agent):
    values, times = {}, {}
    for _, _, _, _, measure, value in facts:
        values[measure] = values.get(measure, 0) + value
        if measure in ("answer_ms", "abandon_ms", "handle_ms", "first_reply_ms"):
            times.setdefault(measure, []).append(value)
    get = lambda *names: sum(values.get(name, 0) for name in names)
    for name in ("answer_ms", "abandon_ms", "handle_ms"):
        values[f"{name}_max"] = max(times.get(name, [0]))
    for name in ("answer_ms", "first_reply_ms", "handle_ms"):
        for percent in (50, 90):
            values[f"{name}_p{percent}"] = percentile(times.get(name), percent)
    closed = [f"closed_by_{who}" for who in ("agent", "customer", "admin", "system")]
    rated = [f"rated_{score}" for score in range(1, 6)]
    values["entered"] = get("opened", "reopened", "requeued", "transferred_in", "moved_in")
    values["answer_ms_avg"] = quotient(get("answer_ms"), get("answered"))
    values["abandon_ms_avg"] = quotient(get("abandon_ms"), get("abandoned"))
    asked = get("answered", "abandoned")
    values["service_level"] = share(get("answered_in_time"), asked)
    values["service_level_without_short"] = share(get("answered_in_time"), asked - get("abandoned_short"))
    values["service_level_late_abandons"] = share(get("answered_in_time"), asked - get("abandoned_in_time"))
    values["service_level_abandons_met"] = share(get("answered_in_time", "abandoned_in_time"), asked)
    values["service_level_answered"] = share(get("answered_in_time"), get("answered"))
    values["abandonment"] = share(get("abandoned"), asked)
    short = get("abandoned_short")
    values["abandonment_without_short"] = share(get("abandoned") - short, asked - short)
    values["acceptance"] = share(get("accepted"), get("accepted", "rejected", "expired"))
    values["reaction_ms_avg"] = quotient(get("reaction_ms"), get("accepted"))
    values["first_reply_ms_avg"] = quotient(get("first_reply_ms"), get("first_replies"))
    values["first_reply_level"] = share(get("first_replies_in_time"), get("first_replies"))
    for name in ("talk_ms", "wrap_up_ms", "handle_ms"):
        values[f"{name}_avg"] = quotient(get(name), get("handled"))
    values["closed"] = get(*closed)
    values["resolution_ms_avg"] = quotient(get("resolution_ms"), get(*closed))
    values["ratings"] = get(*rated)
    values["rating_avg"] = share(sum(score * get(f"rated_{score}") for score in range(1, 6)), get(*rated))
    values["satisfaction"] = share(get("rated_4", "rated_5"), get(*rated))
    values.pop("handle_ms", None)
    if by_agent:
        values = {name: value for name, value in values.items() if name not in OF_QUEUES}
    return values


def agents(recount, start, end, fits):
    values = {"status_ms": {}}
    add = lambda name, ms: values.update({name: values.get(name, 0) + ms})
    for since, until, agent, connection, status, available, held in recount.spent:
        ms = min(until, end) - max(since, start)
        if ms <= 0 or not fits(agent):
            continue
        add("connected_ms", ms)
        if connection != "online":
            add(f"{connection}_ms", ms)
        name = recount.statuses[status]["name"]
        values["status_ms"][name] = values["status_ms"].get(name, 0) + ms
        if available:
            add("available_ms", ms)
        if held:
            add("occupied_ms", ms)
            add("held_ms", ms * held)
        elif available:
            add("idle_ms", ms)
    for at, agent, measure, value in recount.lost:
        if start <= at < end and fits(agent):
            add(measure, value)
    get = lambda name: values.get(name, 0)
    values["occupancy"] = share(get("occupied_ms"), get("occupied_ms") + get("idle_ms"))
    values["utilisation"] = share(get("occupied_ms"), get("connected_ms"))
    values["held_avg"] = share(get("held_ms"), get("occupied_ms"))
    return values


def compare(said, counted, where):
    """Each number that either has; what was not counted is 0, or null where it is a quotient."""
    wrong, numbers = [], 0
    for name in sorted(set(said) | set(counted)):
        if name in ("from", "to", "agent", "queue", "channel"):
            continue
        if isinstance(said.get(name), dict):
            more, few = compare(said[name], counted.get(name, {}), f"{where} {name}")
            wrong, numbers = wrong + more, numbers + few
            continue
        numbers += 1
        if name not in said:
            if counted[name] not in (0, None):
                wrong.append(f"{where}: {name} is missing, {counted[name]} was counted")
        elif (said[name] or 0) != (counted.get(name) or 0) or said[name] is None and counted.get(name) is not None:
            wrong.append(f"{where}: {name} is {said[name]}, {counted.get(name)} was counted")
    return wrong, numbers


def check(question, records):
    """What is wrong with an answer, and how many numbers were compared."""
    answer, by, filters = question["answer"], question["by"], question["filters"]
    recount = Recount()
    for record in records:
        if record["position"] <= answer["position"]:
            recount.turn(record)
    recount.now = max(recount.now, answer["as_of"])
    for agent in list(recount.people):
        recount.until(agent)
    names = {
        "agent": lambda fact: recount.agent_names.get(fact[1]),
        "queue": lambda fact: recount.queue_names.get(fact[2], f"q{fact[2]}"),
        "channel": lambda fact: recount.channel_names[fact[3]],
    }
    by_agent = "agent" in by or "agent" in filters
    of_time = question["what"] == "agents"

    def values(start, end, group):
        wanted = {**filters, **group}
        if of_time:
            return agents(recount, start, end, lambda agent: wanted.get("agent") in (None, recount.agent_names[agent]))
        fits = lambda fact: all(names[name](fact) == value for name, value in wanted.items())
        facts = [fact for fact in recount.facts if start <= fact[0] < end and fits(fact)]
        return conversations([fact for fact in facts if not by_agent or fact[1] is not None], by_agent)

    wrong, numbers, seen = [], 0, set()
    for row in answer["rows"]:
        group = {name: row[name] for name in by}
        seen.add((row["from"], *group.values()))
        more, few = compare(row, values(row["from"], row["to"], group), f"{question['what']} {row['from']} {group}")
        wrong, numbers = wrong + more, numbers + few
    more, few = compare(answer["totals"], values(answer["from"], answer["to"], {}), f"{question['what']} totals")
    wrong, numbers = wrong + more, numbers + few
    # No row is missing: each group of which there is a fact has one.
    if by and not of_time and "next" not in answer:
        spans = sorted({(row["from"], row["to"]) for row in answer["rows"]})
        inside = lambda fact: next((start for start, end in spans if start <= fact[0] < end), None)
        for fact in recount.facts:
            fits = all(names[name](fact) == value for name, value in filters.items())
            if not fact[5] or not fits or not answer["from"] <= fact[0] < answer["to"] or by_agent and fact[1] is None:
                continue
            key = (inside(fact), *[names[name](fact) for name in by])
            if key not in seen:
                wrong.append(f"no row for {key}, of which there is {fact}")
    return wrong, numbers


def main():
    with open(sys.argv[1], encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    with open(sys.argv[2], encoding="utf-8") as answers:
        questions = json.load(answers)
    rows, numbers = 0, 0
    for question in questions:
        wrong, few = check(question, records)
        if wrong:
            print("\n".join(wrong[:20]))
            sys.exit(1)
        rows, numbers = rows + len(question["answer"]["rows"]), numbers + few
    print(f"{len(records)} records, {len(questions)} reports, {rows} rows, {numbers} numbers: all the same")


main()
