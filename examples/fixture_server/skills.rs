//! One skill (SEP-2640): a folder of two files, one of them in a folder of its own.

use rmcp::ErrorData;
use rmcp::model::{
    DIRECTORY_MIME_TYPE, ListResourcesResult, Resource, Skill, SkillFrontmatter, SkillResource,
    SkillResources,
};

const FOLDER: &str = "skill://fixture-skill";
const SUBFOLDER: &str = "skill://fixture-skill/references";
const SKILL: &str = "skill://fixture-skill/SKILL.md";
const NOTES: &str = "skill://fixture-skill/references/notes.md";

const NAME: &str = "fixture-skill";
const DESCRIPTION: &str = "Says how to use the fixture.";

/// The text of a file.
pub(crate) fn text(uri: &str) -> Option<String> {
    match uri {
        SKILL => Some(format!(
            "---\nname: {NAME}\ndescription: {DESCRIPTION}\n---\n\nRead `references/notes.md` first.\n"
        )),
        NOTES => Some("There is nothing more to know.\n".to_owned()),
        _ => None,
    }
}

/// The entry of the skill.
pub(crate) fn skill() -> Skill {
    let files = [SKILL, NOTES].map(|uri| {
        let text = text(uri).unwrap_or_default();
        SkillResource::from_bytes(uri, text.as_bytes())
    });
    let frontmatter = SkillFrontmatter::new(NAME, DESCRIPTION);
    Skill::new(SKILL, frontmatter, SkillResources::Files(files.into()))
}

/// The entry of the skill with this file.
pub(crate) fn get(uri: &str) -> Result<Skill, ErrorData> {
    if uri == SKILL {
        return Ok(skill());
    }
    Err(ErrorData::invalid_params("no such skill", None))
}

/// What is in a folder.
pub(crate) fn folder(uri: &str) -> Result<ListResourcesResult, ErrorData> {
    let file = |uri, name| Resource::new(uri, name).with_mime_type("text/markdown");
    let inside = match uri.trim_end_matches('/') {
        FOLDER => vec![
            file(SKILL, NAME).with_description(DESCRIPTION),
            Resource::new(SUBFOLDER, "references").with_mime_type(DIRECTORY_MIME_TYPE),
        ],
        SUBFOLDER => vec![file(NOTES, "notes.md")],
        _ => return Err(ErrorData::invalid_params("not a folder", None)),
    };
    Ok(ListResourcesResult::with_all_items(inside))
}
