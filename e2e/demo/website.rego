package main

deny[msg] {
    input.kind == "Deployment"
    not input.metadata.labels.website
    msg := sprintf("Deployment %v has no website label", [input.metadata.name])
}
