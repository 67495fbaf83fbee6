# METADATA
# title: The role sees every tool
package portcullis.rules.visible

import rego.v1

show contains tool.name if {
	data.role.conformance
	some tool in input.tools
}
