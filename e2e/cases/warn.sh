# Action warn: kubectl prints the warning and the object is there.
rule E2eWarn warn-label warn
admitted create_pod warned
expect_in "$output" 'Warning: [warn-label] warned has no label team'
expect_in "$output" 'pod/warned created'
admitted create_pod silent '{"team": "a"}'
expect_not_in "$output" 'Warning'
