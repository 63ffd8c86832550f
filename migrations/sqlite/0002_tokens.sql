ALTER TABLE `refresh_tokens` ADD `spent_at` integer;--> statement-breakpoint
ALTER TABLE `sessions` ADD `authenticated_at` integer;