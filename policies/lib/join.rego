# METADATA
# title: How what rules say becomes one answer
# description: |
#   Deny over hold over allow; if nothing spoke, the library says so and denies. Rules are written in
#   `portcullis.rules.<question>`; this package and the four `portcullis.<question>` are reserved.
package portcullis.join

import rego.v1

# The answer to a question. `said` has the members of the sets `deny`, `hold`, `allow` and `oblige`; `silence`
# is the reason if all three are empty. What `oblige` has counts for whatever is not denied.
answer(said, silence) := ruling("deny", said.deny, set(), null) if {
	count(said.deny) > 0
} else := ruling("hold", said.hold, said.oblige, release(said.hold)) if {
	count(said.hold) > 0
} else := ruling("allow", said.allow, said.oblige, null) if {
	count(said.allow) > 0
} else := ruling("deny", {silence}, set(), null)

ruling(verdict, spoke, duties, conditions) := {
	"verdict": verdict,
	"reasons": [{"rule": one.rule, "text": one.text} | some one in spoke],
	"obligations": [duty | some duty in duties],
	"release": conditions,
}

# Several holds: the conditions of all must be met. Without any, Portcullis' own default applies.
release(holds) := joined(conditions) if {
	conditions := {one.release | some one in holds}
	count(conditions) > 0
} else := null

joined(conditions) := {
	"groups": groups({{group | some group in one.groups} | some one in conditions; count(one.groups) > 0}),
	"people": max({one.people | some one in conditions}),
	"expires_seconds": min({one.expires_seconds | some one in conditions}),
}

# No named group means that every approver will do.
groups(named) := [] if {
	count(named) == 0
} else := [group | some group in common] if {
	common := intersection(named)
	count(common) > 0
} else := ["(no group satisfies all rules)"]
