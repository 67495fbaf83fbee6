# METADATA
# title: Named people see the reads
package portcullis.rules.visible

import rego.v1

show contains tool.name if {
	some tool in input.tools
	tool.effect == "read"
	data.access.named
	tool.pinned
}
