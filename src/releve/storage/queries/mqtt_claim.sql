SELECT old_link, old_state FROM releve_claim_client_id(
    %(client_id)s, %(principal)s, %(device)s, %(link)s, %(worker)s, %(address)s, %(is_clean)s
)
