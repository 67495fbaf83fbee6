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
} else := ruling("hold", said.hold, said.oblige, release({one.release | some one in said.hold})) if {
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

# Several holds: the conditions of all must be met, and Portcullis joins them to the strictest. Without any,
# its own default applies.
release(conditions) := null if {
	count(conditions) == 0
} else := [condition | some condition in conditions][0] if {
	count(conditions) == 1
} else := conditions
