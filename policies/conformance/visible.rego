# METADATA
# title: The role sees every tool
package portcullis.rules.visible

import rego.v1

import data.role

show contains tool.name if {
	role.conformance
	some tool in input.tools
}
