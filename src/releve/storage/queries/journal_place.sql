-- Whether a dump was restored over the database meanwhile.
SELECT id, home, 'revocation'::regclass::oid::bigint AS oid FROM revocation_lineage
