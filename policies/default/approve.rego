# METADATA
# title: A person of the release groups, other than the one who asked
package portcullis.rules.approve

import rego.v1

# METADATA
# title: Holds for every approver
allow contains {"rule": "any_approver", "text": "every approver may release this hold"} if {
	count(input.hold.release.groups) == 0
}

# METADATA
# title: Holds for a group
allow contains {"rule": "group_member", "text": "this approver is in a group that may release this hold"} if {
	some group in input.approver.groups
	group in input.hold.release.groups
}

# METADATA
# title: Nobody releases their own call
# custom:
#   agent_hint: Ask a colleague to decide
deny contains {"rule": "own_call", "text": "nobody releases a call that was made on their own behalf"} if {
	input.principal.on_behalf_of == input.approver.id
}

# METADATA
# title: Who sees what pseudonyms stand for
# description: "`portcullis holds show --reveal` shows it to the groups in `pseudonyms.json`."
oblige contains {
	"rule": "values_by_group",
	"text": "this approver may see personal values",
	"reveal": {"kinds": ["*"]},
} if {
	some group in input.approver.groups
	group in data.pseudonyms.seen_by
}
