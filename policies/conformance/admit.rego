# METADATA
# title: The role calls everything, and nothing waits
package portcullis.rules.admit

import rego.v1

# METADATA
# title: Everything for the role
allow contains {"rule": "conformance_role", "text": "the role conformance may do everything"} if {
	data.role.conformance
}

# METADATA
# title: Portcullis' own connection
allow contains {"rule": "housekeeping", "text": "Portcullis keeps its own connection"} if {
	input.principal.kind == "portcullis"
}
