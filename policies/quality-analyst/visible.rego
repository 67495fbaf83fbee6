# METADATA
# title: A principal sees the reads of its roles
package portcullis.rules.visible

import rego.v1

show contains tool.name if {
	some tool in input.tools
	tool.effect == "read"
	tool.name in data.access.tools
	tool.pinned
}

# METADATA
# title: No tool whose definition gives orders, hides something or shows a secret
hide contains tool.name if {
	some tool in input.tools
	some label in tool.labels
	label in {"instructions", "hidden_text", "secrets"}
}
