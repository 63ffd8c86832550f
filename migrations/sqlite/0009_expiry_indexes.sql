CREATE INDEX `one_time_tokens_expires_at_index` ON `one_time_tokens` (`expires_at`);--> statement-breakpoint
CREATE INDEX `mail_outbox_sent_at_index` ON `mail_outbox` (`sent_at`);--> statement-breakpoint
CREATE INDEX `mail_outbox_failed_at_index` ON `mail_outbox` (`failed_at`);--> statement-breakpoint
CREATE INDEX `refresh_tokens_expires_at_index` ON `refresh_tokens` (`expires_at`);--> statement-breakpoint
CREATE INDEX `sessions_expires_at_index` ON `sessions` (`expires_at`);