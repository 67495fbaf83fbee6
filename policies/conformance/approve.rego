# METADATA
# title: Nothing is held, so nothing is released
package portcullis.rules.approve

import rego.v1

# METADATA
# title: Nothing is released
deny contains {"rule": "nothing_is_held", "text": "this bundle holds nothing"}
