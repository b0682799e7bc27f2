-- Which database this is; another after a dump was restored over it.
SELECT id, 'revocation'::regclass::oid::bigint AS oid FROM revocation_lineage
