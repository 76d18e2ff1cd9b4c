// The catalogue: which statistics are opened for a queue, an agent and a group. Their definitions
// are our own (`OpenStatisticEx`), so a site needs no stat types for its board.
// Names of masks and categories are the vendor's; see tests/conformance for what they count.

// A board shows so many at most: what is longer nobody can read, and a browser lives for weeks.
export const QUEUES_MAX = 60;
export const AGENTS_MAX = 1000;

const MEMBERS_SECONDS = 60; // between two looks at who belongs to a group

const ofCalls = (category, mainMask, more = {}) => (
  {category, subject: "DNAction", mainMask, ...more});

const GIVEN_UP = "CallAbandoned, CallAbandonedFromRinging";

/** Of a queue or a group of queues; totals are since midnight, the default of every site. */
export const QUEUE_METRICS = {
  waiting: ofCalls("CurrentNumber", "CallWait"),
  longest: ofCalls("CurrentMaxTime", "CallWait"),
  level: ofCalls("TotalNumberInTimeRangePercentage", "CallAnswered",
    {relMask: `CallAnswered, ${GIVEN_UP}`}),
  entered: ofCalls("TotalNumber", "CallEntered"),
  answered: ofCalls("TotalNumber", "CallAnswered"),
  abandoned: ofCalls("TotalNumber", GIVEN_UP),
  answerTime: ofCalls("AverageTime", "CallAnswered", {relMask: "CallAnswered"}),
};

// A state has no validity of its own (stats/telling/validity.py): it stays what it was when the
// T-Server is lost. So a number is open beside it that says when the agent is not heard any more.
const STATE = {category: "CurrentState", subject: "AgentStatus", mainMask: "*"};
const HEARD = {category: "CurrentNumber", subject: "AgentStatus", mainMask: "*"};

export const key = (objectType, objectId, name) => `${name}|${objectType}|${objectId}`;

/** By natural order: a2 before a10. */
export const byName = new Intl.Collator("en", {numeric: true}).compare;

/**
 * What there is to choose from, from the items of the profile "Objects".
 */
export function choices(items) {
  const of = (...types) => items.filter((each) => types.includes(each.objectType));
  const ids = (type) => of(type).map((each) => each.objectId).sort(byName);
  return {
    tenants: ids("Tenant"),
    groups: ids("GroupAgents"),
    agents: ids("Agent"),
    queues: of("Queue", "RoutePoint", "GroupQueues")
      .sort((one, other) => byName(one.objectId, other.objectId)),
  };
}

/**
 * Whose objects are shown: the tenant that is named if there is such a one, else the server's.
 *
 * Our servers have one tenant each, and so has a pair; another name in an old bookmark must not
 * have everything opened and counted once more under it.
 */
export function chooseTenant(tenants, named, own) {
  return tenants.includes(named) ? named : own;
}

/**
 * Which queues are shown: those that are named, with or without their switch and in the order in
 * which they are named, or all ACD and virtual queues; `{shown, left}`.
 */
export function chooseQueues(queues, named) {
  const named_ = named.flatMap((name) => queues.filter(
    ({objectId}) => objectId === name || objectId.split("@")[0] === name));
  const all = named.length ? [...new Set(named_)] : queues.filter((q) => q.objectType === "Queue");
  return {shown: all.slice(0, QUEUES_MAX), left: Math.max(0, all.length - QUEUES_MAX)};
}

/** Who is shown: the members of the group that is chosen, or everybody; `{shown, left}`. */
export function chooseAgents(agents, group, members) {
  const all = group ? [...(members ?? [])].sort(byName) : agents;
  return {shown: all.slice(0, AGENTS_MAX), left: Math.max(0, all.length - AGENTS_MAX)};
}

/** The ids of a group's members, from the value of its state. */
export function membersOf(value) {
  return (value?.members ?? []).map((each) => each.agentId).filter((each) => each !== undefined);
}

/**
 * Everything to open, by key: `{object, metric, notification, vouchedBy}`.
 *
 * A group's state would be sent whole whenever one of its members does something; so we look at it
 * once a minute for who belongs to it, and have the agents' states open one by one.
 */
export function catalogue({tenant, group, queues, agents}) {
  const wanted = new Map();
  const of = (objectType, objectId) => (
    tenant ? {objectType, objectId, tenantName: tenant} : {objectType, objectId});
  const add = (objectType, objectId, name, metric, notification, more = {}) => wanted.set(
    key(objectType, objectId, name),
    {object: of(objectType, objectId), metric, notification, ...more});
  for (const {objectType, objectId} of queues) {
    for (const [name, metric] of Object.entries(QUEUE_METRICS)) {
      add(objectType, objectId, name, metric, {mode: "ChangesBased"});
    }
  }
  for (const agent of agents) {
    const vouchedBy = key("Agent", agent, "heard");
    add("Agent", agent, "state", STATE, {mode: "ChangesBased"}, {vouchedBy});
    add("Agent", agent, "heard", HEARD, {mode: "ChangesBased"});
  }
  if (group) {
    add("GroupAgents", group, "members", STATE, {mode: "TimeBased", frequency: MEMBERS_SECONDS});
  }
  return wanted;
}
