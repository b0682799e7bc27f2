DROP FUNCTION releve_claim_client_id(text, text, integer, uuid, uuid, text, boolean);
DROP TABLE topic_value, device_config, device_command, device_certificate, device_link, mqtt_worker;
DROP FUNCTION releve_certificate_removed();
