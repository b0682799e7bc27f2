DROP FUNCTION releve_accept_certificate(text, integer, text);
DROP FUNCTION releve_show_certificate(text, integer, text, text);
DROP FUNCTION releve_bind_certificate(text, integer);
DROP TABLE certificate_claim;
