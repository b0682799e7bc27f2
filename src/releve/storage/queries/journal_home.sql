-- And the table's own, which a restored dump makes anew.
SELECT 'revocation'::regclass::oid::bigint AS oid
