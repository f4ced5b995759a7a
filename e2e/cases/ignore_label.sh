# Only exempt namespaces may carry the label that takes a namespace out of review.
denied 'Only exempt namespace can have the admission.gatekeeper.sh/ignore label' k label namespace "$ns" admission.gatekeeper.sh/ignore=yes
denied 'Only exempt namespace can have the admission.gatekeeper.sh/ignore label' k label namespace "$ns" admission.gatekeeper.sh/ignore=
admitted k label namespace "$ns" something=else
