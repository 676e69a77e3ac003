package workflow

// CodeDoc says what a code of a finding means.
type CodeDoc struct {
	Code  string `json:"code"`
	Means string `json:"means"`
}

// FindingCodes lists every code that a finding about a definition can have.
// Codes stay as they are: scripts may rely on them.
func FindingCodes() []CodeDoc {
	return []CodeDoc{
		// what can be read
		{"alias", "YAML aliases are not allowed: write the value out."},
		{"bad_key", "A key has a form that keys do not have."},
		{"duplicate_key", "Something is given twice."},
		{"hidden_character", "A text holds a character that cannot be seen."},
		{"not_a_definition", "The file is not a definition."},
		{"mixed_alphabets", "A word mixes letters of two alphabets that look alike."},
		{"not_yaml", "The file is not YAML."},
		{"several_documents", "The file holds more than one document."},
		{"tag", "YAML tags are not allowed: write the value alone."},
		{"schema", "The language or its version is not known."},
		{"too_large", "The file is larger than a definition can be."},
		{"out_of_range", "A number is smaller or larger than it can be."},
		{"unknown_key", "A key is not known where it stands."},
		{"wrong_type", "A value has another type than what is expected there."},

		// names and words
		{"ai_acts", "A model would act; it may only propose."},
		{"unknown_name", "A name or word leads nowhere."},
		{"unknown_placeholder", "Nothing fills a placeholder of a template."},
		{"reserved_key", "A step has a key that is kept for moves between versions."},
		{"reserved_name", "A role has a name with another meaning."},
		{"wrong_side", "A role stands where one of the other side belongs."},
		{"unused", "Something is defined and never used (warning)."},

		// parts
		{"assist", "A task for a model does not say what it is."},
		{"calendar", "The workflow's business time cannot be read."},
		{"client_label", "The client sees a state that has no words for the client."},
		{"condition", "A condition on a field can never be worked out, or never be true."},
		{"bad_condition", "An expression does not make sense."},
		{"cyclic_condition", "Whether a field applies depends on itself."},
		{"cyclic_jobs", "Jobs wait for each other."},
		{"default", "A default does not fit its field."},
		{"duration", "A length of time cannot be read."},
		{"empty_guard", "A guard or an effect is about nothing."},
		{"files", "What is said about files cannot be."},
		{"form", "A form is named by an item that is none."},
		{"idempotency", "A job has no key that tells its runs apart."},
		{"initial", "A request cannot begin in the initial state."},
		{"label", "A state or step has no label."},
		{"leaves_terminal", "A step leads out of a terminal state."},
		{"never_asked", "A field is required before something that no guard asks for (warning)."},
		{"never_provided", "No state lets anybody provide a section with required items."},
		{"no_file", "A step hands over a file where there can be none."},
		{"no_limit", "A reminder counts from a time limit that the state does not have (warning)."},
		{"no_owner", "Nobody owns a request in a state (warning)."},
		{"no_reminder", "Nobody is reminded while a request waits for the client (warning)."},
		{"no_reviewer", "A section is reviewed, but it does not say by whom."},
		{"no_veto", "A guard is about a veto that nobody has."},
		{"nobody", "Nobody may take a step."},
		{"not_a_list", "Something is repeated for each entry of what is no list."},
		{"not_a_number", "Something is counted up that is no number."},
		{"not_dynamic", "Items would be added to a section that does not grow."},
		{"notice", "A notification has no recipient, channel, dedupe key or reason."},
		{"nowhere", "A step leads from no state."},
		{"numbering", "Two requests can get the same number (warning)."},
		{"on_dead", "The step that is to follow a dead job does not."},
		{"one_thing", "A guard or an effect says more than one thing, or nothing."},
		{"options", "What can be chosen for a field does not fit its type."},
		{"outcome", "A state that is no end has an outcome."},
		{"quorum", "More people must accept than there are."},
		{"recurrence", "A recurrence cannot be read."},
		{"reminder", "A reminder has no receiver, no states, no end or no bound."},
		{"reminder_in_end", "Somebody is reminded after the end (warning)."},
		{"retries", "A job's retries or alert cannot be."},
		{"rounds", "Rounds are counted without the fields that count them."},
		{"schedule", "When a reminder is due cannot be read."},
		{"system", "A job does not say in which system it is done."},
		{"system_cannot", "The system would have to bring what only a person can."},
		{"target", "The target of a report cannot be read."},
		{"template", "A template stands where nothing can be added."},
		{"terminal", "A terminal state is no end."},
		{"title", "Something that people read has no title."},
		{"to_itself", "A step leads from a state to itself."},
		{"turn_untold", "Somebody gets the turn and no notification says so (warning; the portal sends its own)."},
		{"version_taken", "A version with this number and other content is published already."},
		{"version", "The version is not a whole number from 1."},

		// what the client must not notice
		{"tipping_off", "The client would notice a state that the client must not learn of."},
		{"tipping_off_open", "A state that the client must not learn of is open to all staff (warning)."},

		// what can happen; each comes with the shortest path that shows it
		{"circle", "Automatic steps follow each other without waiting."},
		{"dead_job", "Nothing leads on when a job is dead."},
		{"field_never_filled", "A step asks for a field that can only be given when the request is opened (warning)."},
		{"forestalled", "An automatic step without guard leaves no time for another step (warning)."},
		{"four_eyes", "Another person is needed, and with two to each role nobody is left."},
		{"guard_never_met", "A guard can be met only while there is no item that it speaks of."},
		{"item_stuck", "An item that is missing or sent back, and nobody can put it right, waive it or close over it."},
		{"job_not_started", "A step waits for a job that nobody has started by then."},
		{"never_happens", "A step can never be taken."},
		{"no_end", "From a state no end can be reached."},
		{"nobody_there", "From one of its states nobody can take a step (warning)."},
		{"success_with_gap", "A request can succeed with a required item missing or sent back, and no note says why."},
		{"too_large_to_prove", "There are more configurations than can be looked at."},
		{"unreachable", "No request can come to a state."},
		{"wrong_turn", "The side whose turn it is cannot move the request on by its own acts."},
	}
}
