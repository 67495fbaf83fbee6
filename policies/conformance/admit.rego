# METADATA
# title: The role calls everything, and nothing waits
package portcullis.rules.admit

import rego.v1

allow contains {"rule": "conformance_role", "text": "the role conformance may do everything"} if {
	data.role.conformance
}

allow contains {"rule": "housekeeping", "text": "Portcullis keeps its own connection"} if {
	input.principal.kind == "portcullis"
}
