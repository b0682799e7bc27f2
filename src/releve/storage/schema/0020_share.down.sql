DROP TRIGGER releve_share_deleted ON shares_share;
DROP TRIGGER releve_share_revoked ON shares_share;
DROP FUNCTION releve_share_changed();
